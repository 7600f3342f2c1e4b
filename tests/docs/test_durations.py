"""One grammar of durations: variables and options of the service and its operator."""

from argparse import ArgumentParser

import pytest

from orders import cli
from orders.config import Config, ConfigError
from orders_operator.load import settings as load
from orders_operator.settings import Settings

ALIKE = {"5": 5.0, "5s": 5.0, "1500ms": 1.5, "1.5s": 1.5, "1m": 60.0, "0.5h": 1800.0}
WRONG = ("5 s", "s", "-5", "1d", "5S", "1e3", "nan", "inf", "1m30s", "five")
DATABASE = "postgresql://localhost/orders"


def option(command: str) -> float:
    """Return what an option of `orders` is read as."""
    arguments = cli.parser().parse_args(command.split(" "))
    seconds: float = arguments.wait
    return seconds


def loaded(**flags: str) -> load.LoadSettings:
    """Return what flags of a load are read as."""
    parser = ArgumentParser()
    parser.add_argument("--url")
    load.add_flags(parser)
    given = [f"--{name}={text}" for name, text in flags.items()]
    return load.from_flags(parser.parse_args(["--url=http://orders", *given]))


@pytest.mark.parametrize(("text", "seconds"), ALIKE.items())
def test_every_place_reads_a_duration_alike(text: str, seconds: float) -> None:
    """With and without a unit, with and without decimals."""
    shutdown = Config.from_env({"SHUTDOWN_GRACE_PERIOD": text, "DATABASE_URL": DATABASE})

    assert seconds == shutdown.shutdown_grace_period
    assert seconds == option(f"migrate --wait {text}")
    assert seconds == option(f"smoke http://orders --wait {text}")
    assert seconds == option(f"purge --before 90d --wait {text}")
    assert seconds == loaded(duration=text).duration
    assert seconds == loaded(timeout=text).timeout
    assert seconds == Settings.from_env({"RESYNC_INTERVAL": text}).resync_interval


@pytest.mark.parametrize("text", WRONG)
def test_no_place_reads_anything_else(text: str) -> None:
    """Each refuses it, and says what is allowed."""
    for read in (
        lambda: Config.from_env({"SHUTDOWN_GRACE_PERIOD": text}),
        lambda: loaded(duration=text),
        lambda: loaded(timeout=text),
        lambda: Settings.from_env({"RESYNC_INTERVAL": text}),
    ):
        with pytest.raises(ConfigError, match="allowed: a duration"):
            read()
    with pytest.raises(SystemExit):
        cli.parser().parse_args(["migrate", f"--wait={text}"])


def test_the_time_to_connect_is_whole_seconds() -> None:
    """The driver takes no part of a second; libpq's `2` is one, too."""
    for text, seconds in (("2", 2), ("2s", 2), ("3000ms", 3), ("1m", 60)):
        config = Config.from_env({"DB_CONNECT_TIMEOUT": text, "DATABASE_URL": DATABASE})
        assert seconds == config.needed_database().connect_timeout
    with pytest.raises(
        ConfigError, match=r"^DB_CONNECT_TIMEOUT is '1\.5s'; allowed: a duration of"
    ):
        Config.from_env({"DB_CONNECT_TIMEOUT": "1.5s", "DATABASE_URL": DATABASE})
