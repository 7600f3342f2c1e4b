"""The flags of `orders-operator load`, and what is said of bad ones."""

import argparse
from pathlib import Path

import certifi
import pytest

from orders_operator.cli import main
from orders_operator.load.settings import (
    Address,
    LoadSettings,
    add_flags,
    from_flags,
    listen_address,
)
from tests.helpers.ports import free_port

URL = "http://orders.shop"
DURATION = "a duration, 1s to 24h, as 30s or 5m"
CREDENTIAL = "a file with one word of visible ASCII, up to 16000 characters"
ADDRESS = "an http or https URL without user, query and fragment"


def read(*flags: str) -> LoadSettings:
    """Return what flags come to."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--url", default=URL)
    add_flags(parser)
    return from_flags(parser.parse_args(flags))


def test_the_defaults_are_those_of_the_settings() -> None:
    """Without flags a load is as it is without arguments from Python."""
    assert LoadSettings(URL) == read()


def test_every_flag() -> None:
    """Each flag is read, and `--watch` as often as it is there."""
    assert LoadSettings(
        "https://host:8443/base",
        rate=2.5,
        duration=300.0,
        reads=0.1,
        fresh=1.0,
        retries=5,
        timeout=3.0,
        renew=7,
        watch=("http://a/livez", "http://b/readyz?verbose"),
    ) == read(
        *("--url", "https://host:8443/base/", "--rate", "2.5", "--duration", "5m"),
        *("--reads", "0.1", "--fresh", "1", "--retries", "5", "--timeout", "3s", "--renew", "7"),
        *("--watch", "http://a/livez", "--watch", "http://b/readyz?verbose"),
    )


def test_files_of_a_caller(tmp_path: Path) -> None:
    """An API key or a token, and authorities; each is looked at before anything is sent."""
    key, authorities = tmp_path / "key", Path(certifi.where())
    key.write_text("abc")
    assert LoadSettings(URL, api_key_file=key) == read("--api-key-file", str(key))
    given = ("--token-file", str(key), "--ca-file", str(authorities))
    assert LoadSettings(URL, token_file=key, ca_file=authorities) == read(*given)


def test_one_credential_is_enough(capsys: pytest.CaptureFixture[str]) -> None:
    """The service refuses two."""
    with pytest.raises(SystemExit, match="2"):
        main(["load", "--url", URL, "--api-key-file", "a", "--token-file", "b"], {})
    assert "not allowed with argument" in capsys.readouterr().err


def test_a_load_may_have_no_end() -> None:
    """`--duration none` is until it is told to stop."""
    assert read("--duration", "none").duration is None


@pytest.mark.parametrize(
    ("text", "address"),
    [
        (None, None),
        (":8080", Address(None, 8080)),
        ("127.0.0.1:80", Address("127.0.0.1", 80)),
        ("[::1]:8080", Address("::1", 8080)),
    ],
)
def test_where_to_listen(text: str | None, address: Address | None) -> None:
    """Without a host it is every address."""
    assert address == listen_address(text)


@pytest.mark.parametrize(
    ("flag", "value", "allowed"),
    [
        ("url", "orders:8000", ADDRESS),
        ("url", "ftp://orders", ADDRESS),
        ("url", "http://orders/#a", ADDRESS),
        ("rate", "0", "0.01 to 100000"),
        ("rate", "nan", "0.01 to 100000"),
        ("rate", "inf", "0.01 to 100000"),
        ("rate", "many", "0.01 to 100000"),
        ("duration", "0s", f"{DURATION}, or none"),
        ("duration", "forever", f"{DURATION}, or none"),
        ("reads", "1.1", "0 to 1"),
        ("fresh", "-0.1", "0 to 1"),
        ("retries", "-1", "0 to 100"),
        ("retries", "101", "0 to 100"),
        ("timeout", "100ms", DURATION),
        ("renew", "0", "1 to 1000000"),
        ("watch", "orders/livez", "an http or https URL"),
        ("api-key-file", "/nothing/there", CREDENTIAL),
        ("token-file", "/etc/hosts", CREDENTIAL),
        ("ca-file", "/nothing/there", "a file of certificates in PEM"),
        ("ca-file", "/etc/hosts", "a file of certificates in PEM"),
        ("listen", "8080", "HOST:PORT, or :PORT"),
        ("listen", "host:0", "HOST:PORT, or :PORT"),
        ("listen", "host:http", "HOST:PORT, or :PORT"),
    ],
)
def test_a_bad_flag_is_one_line(
    capsys: pytest.CaptureFixture[str], flag: str, value: str, allowed: str
) -> None:
    """The message names the flag, what it was, and what is allowed; the status is 2."""
    status = main(["load", "--url", URL, f"--{flag}={value}"], {})

    message = f"orders-operator: --{flag} is {value!r}; allowed: {allowed}\n"
    assert (2, message) == (status, capsys.readouterr().err)


def test_credentials_are_neither_taken_nor_told(capsys: pytest.CaptureFixture[str]) -> None:
    """The service has none, and a message may end in a log."""
    status = main(["load", "--url", "http://me:hunter2@orders"], {})

    assert (2, False) == (status, "hunter2" in capsys.readouterr().err)


def test_a_ledger_that_cannot_be_written_is_told_first(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Not after the load, when it would be lost."""
    path = tmp_path / "none" / "ledger"
    status = main(["load", "--url", URL, "--ledger", str(path)], {})

    allowed = "a file that can be written (No such file or directory)"
    message = capsys.readouterr().err
    assert (2, 1) == (status, len(message.splitlines()))
    assert message.startswith("orders-operator: --ledger is ")
    assert message.endswith(f"; allowed: {allowed}\n")


def test_an_address_that_is_not_ours_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is sent, and the message has the reason."""
    status = main(["load", "--url", URL, "--listen", f"192.0.2.1:{free_port()}"], {})

    message = capsys.readouterr().err
    assert (2, 1) == (status, len(message.splitlines()))
    assert "allowed: HOST:PORT to listen on (" in message
