"""Fetches an issuer's keys: bounded in time and size, and only from permitted addresses.

Every address comes from the configuration, or from the discovery document of a configured issuer;
nothing that a caller sends influences it. An https address stays https. An address that may be
http is asked without the environment's proxy, which could give other keys.
"""

import codecs
import contextlib
import socket
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from threading import Timer
from time import monotonic
from typing import IO, TYPE_CHECKING, Any, Final, TypeVar
from urllib.error import HTTPError, URLError
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
from orders.config.auth_settings import is_near, keys_url

if TYPE_CHECKING:
    from collections.abc import Callable
    from http.client import HTTPMessage

T = TypeVar("T")

TIMEOUT: Final = 5.0
"""Seconds that one answer may take."""
LARGEST: Final = 512 * 1024
"""Bytes that one answer may have."""

_PIECE: Final = 16 * 1024
_DISCOVERY: Final = "/.well-known/openid-configuration"


class _Ending(HTTPConnection):
    """A connection with a deadline for the whole answer: urllib's timeout is per piece."""

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


class _Proxies(ProxyHandler):
    """The environment's proxies, except for near hosts."""

    def proxy_open(self, req: Request, proxy: str, type: str) -> Any:  # noqa: A002  it is urllib's
        if not is_near(urlsplit(req.full_url).hostname or ""):
            return super().proxy_open(req, proxy, type)
        return None


class _Redirects(HTTPRedirectHandler):
    """Follows a few redirects, and none to an address that is not permitted."""

    max_redirections = 3
    max_repeats = 1

    def redirect_request(  # noqa: PLR0913  it is urllib's
        self, req: Request, fp: IO[bytes], code: int, msg: str, headers: "HTTPMessage", newurl: str
    ) -> Request | None:
        try:
            _check(newurl, req.full_url)
        except ValueError as error:
            fp.close()
            raise URLError(str(error)) from None
        return super().redirect_request(req, fp, code, msg, headers, newurl)


def fetch_keys(issuer: str, url: str | None, read: "Callable[[bytes], T]") -> T:
    """Return an issuer's JWK Set.

    Args:
        issuer: whose.
        url: where it is; None asks for it by OpenID discovery.
        read: makes a set of the content, and raises ValueError if it is none.

    Raises:
        OSError: nobody answered, or something else; says where.
        ValueError: the answer is not one; says where.

    """
    return _read(discover(issuer) if url is None else url, read)


def discover(issuer: str) -> str:
    """Return where an issuer's keys are (OpenID Connect Discovery 1.0, 4).

    Raises:
        OSError: nobody answered, or something else.
        ValueError: the document is none, is of another issuer, or names what may not be asked.

    """
    where = issuer.removesuffix("/") + _DISCOVERY
    document = _read(where, strict_json.loads)
    if not isinstance(document, dict) or document.get("issuer") != issuer:
        raise ValueError(f"{where} names an issuer other than {issuer}")
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
        shown = _shown(url)[:200]
        raise ValueError(f"{_shown(named_by)} leads to {shown!r}, which is not https")


def _shown(url: str) -> str:
    """Return a URL without its query, which may be a key."""
    return url.partition("?")[0]


def _ending(*args: Any, **kwargs: Any) -> socket.socket:
    """Connect, and end the connection when the time of an answer is over."""
    made = socket.create_connection(*args, **kwargs)
    same = made.dup()  # as TLS takes the other one over

    def end() -> None:
        with same, contextlib.suppress(OSError):
            same.shutdown(socket.SHUT_RDWR)

    timer = Timer(TIMEOUT, end)
    timer.daemon = True
    timer.start()
    return made


def _read(url: str, read: "Callable[[bytes], T]") -> T:
    """Fetch a document and read it; an error names its address."""
    where = _shown(url)
    content = _fetch(url, where)
    try:
        return read(content)
    except UnicodeDecodeError:
        raise ValueError(f"{where} answers with text that is not UTF-8") from None
    except ValueError as error:
        raise ValueError(f"the answer of {where}: {error}") from None


def _fetch(url: str, where: str) -> bytes:
    opener = OpenerDirector()
    for handler in (
        _Proxies(), _Http(), _Https(), HTTPDefaultErrorHandler(),
        HTTPErrorProcessor(), _Redirects(),
    ):  # fmt: skip
        opener.add_handler(handler)
    request = Request(url, headers={"accept": "application/json", "user-agent": "orders"})  # noqa: S310  checked by the configuration
    end = monotonic() + TIMEOUT
    content = b""
    try:
        with opener.open(request, timeout=TIMEOUT) as answer:
            while True:
                piece = answer.read1(_PIECE)
                if not piece or monotonic() >= end:
                    break
                content += piece
                if len(content) > LARGEST:
                    raise ValueError(f"{where} answers with more than {LARGEST:,} bytes")
    except HTTPError as error:
        error.close()  # it is the answer, too
        raise OSError(f"{where} answers with status {error.code}") from None
    except (OSError, HTTPException) as error:
        if monotonic() < end:
            raise OSError(f"{where} {_why(error)}") from None
    if monotonic() >= end:  # whatever the end of the connection then looks like
        raise TimeoutError(f"{where} takes longer than {TIMEOUT:g} s")
    return content.removeprefix(codecs.BOM_UTF8)  # RFC 8259, 8.1


def _why(error: Exception) -> str:
    """Return in words why there is no answer."""
    if isinstance(error, HTTPException):
        return f"does not answer in HTTP: {error!r}"
    if isinstance(error, URLError):
        return f"cannot be reached: {error.reason}"
    return f"broke off its answer: {error}"
