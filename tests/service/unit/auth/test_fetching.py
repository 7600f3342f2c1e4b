"""Where keys may be fetched: https, and http only where nobody in between can give others."""

import socket
import threading
from functools import partial
from typing import Any

import pytest

from orders.auth import fetching
from orders.auth.fetching import _check, fetch_keys
from orders.auth.keys import read
from orders.config.auth_settings import keys_url
from tests.helpers.issuer import DISCOVERY, KEYS, IssuerServer
from tests.helpers.ports import free_port

NEAR = (
    "http://127.0.0.1:8080/keys", "http://[::1]/keys", "http://localhost/keys",
    "http://keycloak.auth.svc/keys", "http://keycloak.auth.svc:8080/keys",
    "http://KEYCLOAK.AUTH.SVC./keys",
)  # fmt: skip
FAR = (
    "http://issuer.example/keys", "http://10.0.0.1/keys", "http://169.254.169.254/keys",
    "http://127.0.0.1.issuer.example/keys", "http://svc/keys", "http://auth.svc.example/keys",
    "http://keycloak.auth.svc.cluster.local/keys",
    "http://2130706433/keys", "file:///etc/passwd", "ftp://issuer.example/keys", "https://",
    "https://me:secret@issuer.example/keys", "https://issuer.example/keys#one", "issuer.example",
    "https://issuer.example/ keys", "",
)  # fmt: skip


@pytest.mark.parametrize("url", ["https://issuer.example/keys?tenant=1", *NEAR])
def test_addresses_that_are_taken(url: str) -> None:
    """HTTPS anywhere; HTTP of this machine, and of names that a cluster's DNS gives."""
    assert url == keys_url(url)


@pytest.mark.parametrize("url", FAR)
def test_addresses_that_are_refused(url: str) -> None:
    """HTTP of anywhere else, other schemes, and credentials in the address."""
    with pytest.raises(ValueError, match=r"^"):
        keys_url(url)


@pytest.mark.parametrize("url", [*NEAR, *FAR])
def test_https_stays_https(url: str) -> None:
    """What an https address leads to, by a redirect or by discovery, is https as well."""
    with pytest.raises(ValueError, match="which is not https"):
        _check(url, "https://issuer.example/.well-known/openid-configuration")


@pytest.mark.parametrize("url", ["https://issuer.example/keys", *NEAR])
def test_what_is_near_may_lead_to_what_is_near(url: str) -> None:
    """An issuer of the cluster over http may have its keys there, or at an https address."""
    _check(url, "http://keycloak.auth.svc/.well-known/openid-configuration")


def test_nobody_between_gives_the_keys_of_who_is_near(monkeypatch: pytest.MonkeyPatch) -> None:
    """A proxy that the environment names is asked for far keys, and only to connect; not near."""
    with IssuerServer() as near, IssuerServer() as proxy:
        proxy.more[near.url + KEYS] = (200, {}, b"forged")
        for name in ("http_proxy", "https_proxy"):
            monkeypatch.setenv(name, proxy.url)
        monkeypatch.delenv("no_proxy", raising=False)

        found = fetch_keys(near.url, None, bytes)

        assert b'{"keys": []}' == found
        assert not proxy.asked
        with pytest.raises(OSError, match="Tunnel connection failed: 501"):
            fetch_keys("https://issuer.example", None, bytes)


@pytest.mark.parametrize(
    ("answer", "told"),
    [
        ((200, {}, b"<html>Log in</html>"), "the answer of {}: it is not JSON: Expecting value"),
        ((200, {}, b"{}"), "the answer of {}: it must be a JWK Set"),
        ((200, {}, b"\x1f\x8b\x08"), "{} answers with text that is not UTF-8"),
        ((200, {}, b" " * 600_000), "{} answers with more than"),
        ((429, {}, b""), "{} answers with status 429"),
        ((302, {"location": "http://issuer.example/"}, b""), "cannot be reached: .* not https"),
        ((200, {"transfer-encoding": "chunked"}, b"x\r\n"), "{} does not answer in HTTP"),
    ],
    ids=["a page", "no set", "compressed", "too large", "too often", "elsewhere", "no HTTP"],
)
def test_where_keys_could_not_be_had_is_told(answer: Any, told: str) -> None:
    """Of two addresses that are asked, the one that is to blame; without its query, a secret."""
    with IssuerServer() as issuer:
        issuer.more[KEYS + "?key=s3cret"] = answer
        where = f"{issuer.url}{KEYS}"

        with pytest.raises((OSError, ValueError), match=told.format(where)) as caught:
            fetch_keys(issuer.url, f"{issuer.url}{KEYS}?key=s3cret", partial(read, strict=False))

    assert "s3cret" not in str(caught.value)


def test_nobody_there_is_told() -> None:
    """Where nobody listens is named, and the system's reason."""
    url = f"http://127.0.0.1:{free_port()}"

    with pytest.raises(OSError, match=f"{url}{DISCOVERY} cannot be reached: .*refused"):
        fetch_keys(url, None, bytes)


def test_a_byte_order_mark_is_no_part_of_an_answer() -> None:
    """A JWK Set may begin with one, which JSON has no place for (RFC 8259, 8.1)."""
    with IssuerServer() as issuer:
        issuer.more[KEYS] = (200, {}, '{"keys": []}'.encode("utf-8-sig"))

        assert b'{"keys": []}' == fetch_keys(issuer.url, None, bytes)


def test_an_answer_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though each piece is in time, of its head too: else keys would stay as they are."""
    monkeypatch.setattr(fetching, "TIMEOUT", 0.3)
    over = threading.Event()

    def answer(listening: socket.socket) -> None:
        connection, _ = listening.accept()
        with connection:
            connection.sendall(b"HTTP/1.1 200 OK\r\nX: ")
            while not over.wait(0.05):
                try:
                    connection.sendall(b"x")
                except OSError:
                    return

    with socket.create_server(("127.0.0.1", 0)) as listening:
        thread = threading.Thread(target=answer, args=[listening])
        thread.start()
        try:
            with pytest.raises(OSError, match="takes longer than"):
                fetch_keys("issuer", f"http://127.0.0.1:{listening.getsockname()[1]}/keys", bytes)
        finally:
            over.set()
            thread.join()
