"""How a declared setting is read, and what is said of a value that is not allowed."""

from pathlib import Path

import pytest

from orders_common import parse
from orders_common.settings import ConfigError, InForce, Reader, Setting, refusal

PAUSE = Setting(
    "pause",
    ("PAUSE", "SLEEP"),
    parse.duration(1, 60),
    5.0,
    "a duration, 1s to 1m",
    "How long it pauses.",
    "Test",
    unit="s",
)
ON = Setting("on", ("ON",), parse.boolean, True, "true, false", "Whether it is on.", "Test")  # noqa: FBT003  the default
TOKEN = Setting("token", ("TOKEN",), parse.text, None, "text", "Who it is.", "Test", secret=True)


def error(setting: Setting, **environ: str) -> str:
    """Return the message with which a setting is refused."""
    with pytest.raises(ConfigError) as caught:
        Reader(environ).read(setting)
    return str(caught.value)


@pytest.mark.parametrize(
    ("environ", "seconds", "source"),
    [
        ({}, 5.0, InForce("PAUSE", "5.0", "default")),
        ({"PAUSE": ""}, 5.0, InForce("PAUSE", "5.0", "default")),
        ({"PAUSE": "1500ms"}, 1.5, InForce("PAUSE", "1.5", "environment")),
        ({"SLEEP": "1m"}, 60.0, InForce("SLEEP", "60.0", "environment")),
        ({"PAUSE": "2", "SLEEP": "never"}, 2.0, InForce("PAUSE", "2.0", "environment")),
    ],
)
def test_the_first_variable_that_is_set_counts(
    environ: dict[str, str], seconds: float, source: InForce
) -> None:
    """An empty one is not set; without any it is the default; what is in force is noted."""
    reader = Reader(environ)

    assert seconds == reader.read(PAUSE)
    assert [source] == reader.in_force


@pytest.mark.parametrize("text", ["0.5s", "61", "5 s", "1m30s", "nan", "-5", "5S"])
def test_a_bad_value_is_one_line(text: str) -> None:
    """The message names the variable that was set, what it was, and what is allowed."""
    assert f"SLEEP is {text!r}; allowed: a duration, 1s to 1m" == error(PAUSE, SLEEP=text)


def test_a_long_value_is_cut_and_a_password_is_masked() -> None:
    """A line of the log is short, and no credential gets into it."""
    assert "X is '" + "y" * 80 + "...'; allowed: z" == str(refusal("X", "y" * 81, "z"))
    assert "--url is 'http://***@host'; allowed: z" == str(
        refusal("--url", "http://a:b@host", "z")
    )


def test_a_secret_is_never_shown(tmp_path: Path) -> None:
    """Neither when it is refused, nor where what is in force is listed."""
    file = tmp_path / "token"
    file.write_text("hunter2\n")
    reader = Reader({"TOKEN_FILE": str(file)})

    assert "hunter2" == reader.read(TOKEN)
    assert [InForce("TOKEN", "***", f"file {file}")] == reader.in_force
    assert "TOKEN is a secret; allowed: text" == error(TOKEN, TOKEN="hunter2\0")
    assert "TOKEN and TOKEN_FILE are both set: set one of them" == error(
        TOKEN, TOKEN="hunter2", TOKEN_FILE=str(file)
    )


@pytest.mark.parametrize("name", ["TOKEN", "TOKEN_FILE"])
def test_what_does_not_count_is_not_read(name: str) -> None:
    """What is in force says so, whether the variable has a secret or names its file."""
    reader = Reader({name: "/nowhere"})

    assert reader.unread(TOKEN) is None
    assert [InForce("TOKEN", "", "not read")] == reader.in_force


def test_settings_that_do_not_fit_each_other_are_one_line() -> None:
    """What reads several settings names the field; the message names its variable."""

    def read(reader: Reader) -> None:
        reader.read(PAUSE)
        raise ValueError("pause")

    with pytest.raises(ConfigError, match=r"^SLEEP is '2s'; allowed: a duration, 1s to 1m$"):
        Reader({"SLEEP": "2s"}).together(read, (PAUSE, TOKEN))


def test_a_row_of_a_reference_page() -> None:
    """It has every name, the default with its unit, and says whether a file may be given."""
    assert "| `PAUSE`, `SLEEP` | `5.0` s | a duration, 1s to 1m | How long it pauses. |\n" == (
        PAUSE.row()
    )
    assert "| `ON` | `true` | true, false | Whether it is on. |\n" == ON.row()
    assert "| `TOKEN` |  | text | Who it is. A secret: `*_FILE` works. |\n" == TOKEN.row()
