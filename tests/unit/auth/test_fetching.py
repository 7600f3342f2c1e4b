"""Where keys may be fetched: https, and http only where nobody in between can give others."""

import socket
import threading

import pytest

from orders.auth import fetching
from orders.auth.fetching import _check, fetch_keys
from orders.config.parse import keys_url

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


def test_an_answer_without_an_end_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """Though each piece is in time, of its head too: else keys would stay as they are."""
    monkeypatch.setattr(fetching, "PATIENCE", 0.3)
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
                fetch_keys("issuer", f"http://127.0.0.1:{listening.getsockname()[1]}/keys")
        finally:
            over.set()
            thread.join()
