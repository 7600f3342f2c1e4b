"""The commands: what they print, and the status they end with."""

import json
import os
import subprocess
import sys
import time

import pytest

from orders import __version__
from orders.cli import main
from orders.dev import DATA_DIR, DATA_DIR_VARIABLE
from tests.helpers.ports import free_port

URL = "postgresql://me:s3cret@db/orders"


def run(*arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    """Run `python -m orders` with this environment and nothing else that is ours."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(
        [sys.executable, "-m", "orders", *arguments],
        env=kept | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )


def test_config_prints_what_is_in_force(capsys: pytest.CaptureFixture[str]) -> None:
    """One line for each setting: name, value, source."""
    status = main(["config"], {"DATABASE_URL": URL, "HTTP_PORT": "9000"})
    lines = capsys.readouterr().out.splitlines()

    assert 0 == status
    assert "HTTP_PORT = 9000 (environment)" in {" ".join(line.split()) for line in lines}
    assert "DB_HOST = db (DATABASE_URL)" in {" ".join(line.split()) for line in lines}
    assert not any("s3cret" in line for line in lines)


def test_config_as_json(capsys: pytest.CaptureFixture[str]) -> None:
    """--json is the same by name."""
    status = main(["config", "--json"], {"DATABASE_URL": URL})
    found = json.loads(capsys.readouterr().out)

    assert 0 == status
    assert {"value": "***", "source": "environment"} == found["DATABASE_URL"]
    assert {"value": "8000", "source": "default"} == found["HTTP_PORT"]


def test_config_reference_needs_no_valid_environment(capsys: pytest.CaptureFixture[str]) -> None:
    """The reference page is printed whatever is set."""
    assert 0 == main(["config", "--reference"], {"HTTP_PORT": "bad"})
    assert capsys.readouterr().out.startswith("# Configuration\n")


def test_dev_says_where_its_data_are(capsys: pytest.CaptureFixture[str]) -> None:
    """The help names the folder, and the variable that names another one."""
    with pytest.raises(SystemExit) as told:
        main(["dev", "--help"], {})
    text = capsys.readouterr().out

    assert 0 == told.value.code
    assert f" {DATA_DIR} or" in " ".join(text.split())
    assert DATA_DIR_VARIABLE in text


@pytest.mark.parametrize("command", [["serve"], ["migrate"], ["config"]])
def test_bad_configuration_is_one_line(
    command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    """Every command that reads the configuration ends with 2 and says what is wrong."""
    status = main(command, {"DATABASE_URL": URL, "HTTP_PORT": "http"})

    assert 2 == status
    expected = "orders: HTTP_PORT is 'http'; allowed: a port, 1 to 65535\n"
    assert ("", expected) == capsys.readouterr()


@pytest.mark.parametrize(
    ("required", "told"),
    [
        (
            ["metrics"],
            (
                "--require metrics: it is not configured;"
                " set METRICS_AUTH, with METRICS_API_KEYS_FILE or a way to call"
            ),
        ),
        (["tls"], "--require tls: it is not configured; set TLS_CERT_FILE and TLS_KEY_FILE"),
        (
            ["tls", "auth"],
            (
                "--require auth: it is not configured;"
                " set AUTH_ISSUER, AUTH_ISSUERS_FILE or AUTH_API_KEYS_FILE"
            ),
        ),
    ],
)
def test_what_must_be_protected_is_not_served_without(
    required: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """It ends with 2, and says what would configure it."""
    files = {"TLS_CERT_FILE": "/tls/tls.crt", "TLS_KEY_FILE": "/tls/tls.key"}
    environ = {"DATABASE_URL": URL} | (files if "auth" in required else {})

    assert 2 == main(["serve", "--require", *required], environ)
    assert ("", f"orders: {told}\n") == capsys.readouterr()


def test_openapi_prints_the_document() -> None:
    """The document is the JSON that is committed."""
    assert "3.1.0" == json.loads(run("openapi").stdout)["openapi"]


def test_version() -> None:
    """--version is one line."""
    done = run("--version")

    assert (0, f"orders {__version__}\n") == (done.returncode, done.stdout)


def test_without_a_command_there_is_help(capsys: pytest.CaptureFixture[str]) -> None:
    """The commands are listed on stderr, and the status is that of a wrong call."""
    assert 2 == main([], {})
    out, err = capsys.readouterr()
    assert "" == out
    assert all(name in err for name in ("serve", "dev", "migrate", "config", "openapi"))


def test_an_unknown_command_is_a_wrong_call(capsys: pytest.CaptureFixture[str]) -> None:
    """Argparse's own status is 2 as well."""
    with pytest.raises(SystemExit) as ended:
        main(["sell"], {})

    assert 2 == ended.value.code
    assert "sell" in capsys.readouterr().err


@pytest.mark.parametrize("command", [["migrate"], ["smoke", "http://localhost"]])
@pytest.mark.parametrize(
    "wait", ["nan", "inf", "1e999", "-1", "-0.1", "soon", "", "2d", "1000000h"]
)
def test_a_wait_is_a_duration(
    command: list[str], wait: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Another value is a wrong call; the option, its value and what is allowed are told."""
    with pytest.raises(SystemExit) as ended:
        main([*command, "--wait", wait], {"DATABASE_URL": URL})

    assert 2 == ended.value.code
    expected = f"argument --wait: {wait!r} is not allowed; allowed: a duration, 0 to 999999h\n"
    assert capsys.readouterr().err.endswith(expected)


@pytest.mark.parametrize("command", ["serve", "migrate"])
def test_no_database_is_one_line(command: str) -> None:
    """A command that needs a database says which variables name one."""
    done = run(command, HTTP_PORT=str(free_port()), METRICS_PORT=str(free_port()))

    assert (2, "") == (done.returncode, done.stdout)
    assert "orders: DATABASE_URL is not set: set it, or DB_HOST, or PGHOST\n" == done.stderr


def test_the_command_line_imports_little() -> None:
    """Reading arguments costs neither the server, the driver, Litestar nor the tracing SDK."""
    code = (
        "import sys, orders.cli; from orders.config import Config; Config.from_env({});"
        "print(*sorted({name.partition('.')[0] for name in sys.modules}))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    heavy = {"asyncio", "granian", "litestar", "opentelemetry", "prometheus_client", "psqlpy"}

    assert set() == heavy & set(done.stdout.split())


@pytest.mark.parametrize(("wait", "waited"), [("0", 0.0), ("0.1", 0.1), ("100ms", 0.1)])
def test_a_wait_is_written_as_in_variables(
    wait: str, waited: float, capsys: pytest.CaptureFixture[str]
) -> None:
    """With a unit or without, which is seconds: so long a service that is away is asked again."""
    url = f"http://127.0.0.1:{free_port()}"
    began = time.monotonic()

    assert 1 == main(["smoke", url, "--wait", wait], {})
    assert waited <= time.monotonic() - began
    assert url in capsys.readouterr().err
