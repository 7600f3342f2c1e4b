"""Fetching an issuer's keys: bounded in time and size, and only from where it may be asked.

Every address comes from the configuration, or from the discovery document of a configured issuer;
nothing that a caller sends has a say in it. What was https stays https.
"""

import contextlib
import socket
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from threading import Timer
from time import monotonic
from typing import IO, TYPE_CHECKING, Any, Final
from urllib.error import URLError
from urllib.parse import urlsplit
from urllib.request import (
    HTTPDefaultErrorHandler,
    HTTPErrorProcessor,
    HTTPHandler,
    HTTPRedirectHandler,
    HTTPSHandler,
    OpenerDirector,
    ProxyHandler,
    Request,
)

from orders.auth import strict_json
from orders.config.parse import keys_url

if TYPE_CHECKING:
    from http.client import HTTPMessage

PATIENCE: Final = 5.0
"""Seconds that one answer may take."""
LARGEST: Final = 512 * 1024
"""Bytes that one answer may have."""

_PIECE: Final = 16 * 1024
_DISCOVERY: Final = "/.well-known/openid-configuration"


class _Ending(HTTPConnection):
    """Ends after a while, whatever comes: a time-out of urllib is that of each piece alone."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._create_connection = _ending


class _EndingSecure(_Ending, HTTPSConnection):
    """The same over TLS, the handshake included."""


class _Http(HTTPHandler):
    def http_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_Ending, req)


class _Https(HTTPSHandler):
    def https_open(self, req: Request) -> HTTPResponse:
        return self.do_open(_EndingSecure, req)


class _Redirects(HTTPRedirectHandler):
    """Follows a few, and none to where nobody may be asked."""

    max_redirections = 3
    max_repeats = 1

    def redirect_request(  # noqa: PLR0913  it is urllib's
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: "HTTPMessage", newurl: str
    ) -> Request | None:
        try:
            _check(newurl, req.full_url)
        except ValueError as error:
            raise URLError(str(error)) from None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch_keys(issuer: str, url: str | None) -> bytes:
    """
    Return an issuer's JWK Set.

    Args:
        issuer: whose.
        url: where it is; None asks for it by OpenID discovery.

    Raises:
        OSError: nobody answered, or something else.
        ValueError: the answer is not one.

    """
    return _fetch(discover(issuer) if url is None else url)


def discover(issuer: str) -> str:
    """
    Return where an issuer's keys are (OpenID Connect Discovery 1.0, 4).

    Raises:
        OSError: nobody answered, or something else.
        ValueError: the document is none, is of another issuer, or names what may not be asked.

    """
    where = issuer.removesuffix("/") + _DISCOVERY
    document = strict_json.loads(_fetch(where))
    if not isinstance(document, dict) or document.get("issuer") != issuer:
        raise ValueError(f"{where} is not of the issuer {issuer}")
    url = document.get("jwks_uri")
    if not isinstance(url, str):
        raise ValueError(f"{where} has no jwks_uri")  # noqa: TRY004  it is the document's
    _check(url, where)
    return url


def _check(url: str, named_by: str) -> None:
    """Check that a URL that another one has named may be asked."""
    try:
        keys_url(url)
        worse = urlsplit(named_by).scheme == "https" and urlsplit(url).scheme != "https"
    except ValueError:
        worse = True
    if worse:
        raise ValueError(f"{named_by} leads to {url[:200]!r}, which is not https")


def _ending(*args: Any, **kwargs: Any) -> socket.socket:
    """Connect, and have the connection end when an answer has had its time."""
    made = socket.create_connection(*args, **kwargs)
    same = made.dup()  # as TLS takes the other one over

    def end() -> None:
        with same, contextlib.suppress(OSError):
            same.shutdown(socket.SHUT_RDWR)

    timer = Timer(PATIENCE, end)
    timer.daemon = True
    timer.start()
    return made


def _fetch(url: str) -> bytes:
    opener = OpenerDirector()
    for handler in (
        ProxyHandler(), _Http(), _Https(), HTTPDefaultErrorHandler(),
        HTTPErrorProcessor(), _Redirects(),
    ):  # fmt: skip
        opener.add_handler(handler)
    request = Request(url, headers={"accept": "application/json", "user-agent": "orders"})  # noqa: S310  checked by the configuration
    end = monotonic() + PATIENCE
    content = b""
    try:
        with opener.open(request, timeout=PATIENCE) as answer:
            while True:
                piece = answer.read1(_PIECE)
                if monotonic() >= end:  # what looks like the answer's end may be the connection's
                    raise TimeoutError(f"{url} takes longer than {PATIENCE:g} s")
                if not piece:
                    break
                content += piece
                if len(content) > LARGEST:
                    raise ValueError(f"{url} answers with more than {LARGEST:,} bytes")
    except HTTPException as error:
        raise OSError(f"{url} answers with what is no HTTP: {error!r}") from None
    return content
