"""The documentation: the OpenAPI document, and a page of Swagger UI that tries the API out.

Everything the page needs ships with the package, so it works with no internet, under a content
security policy that allows this origin only. Files are kept compressed, which most callers want.
"""

import asyncio
import gzip
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from litestar import Request, Response
from litestar.exceptions import NotFoundException
from litestar.handlers import HTTPRouteHandler, get
from msgspec import Struct

from orders.http import openapi
from orders.http.conditional import matches
from orders.http.negotiation import takes_gzip

if TYPE_CHECKING:
    from litestar.datastructures import State

STATIC: Final = Path(__file__).with_name("static")

_FILES: Final = {
    "docs.js": "text/javascript",
    "favicon-32x32.png": "image/png",
    "swagger-ui-bundle.js": "text/javascript",
    "swagger-ui.css": "text/css",
}
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Asset(Struct, frozen=True):
    """A file as it is sent: its bytes compressed, and their digest."""

    media_type: str
    packed: bytes
    digest: str
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def plain(self) -> bytes:
        """The bytes uncompressed."""
        return gzip.decompress(self.packed)


def handlers(schemes: tuple[str, ...] = ()) -> list[HTTPRouteHandler]:
    """Return the documentation's handlers; the document names the `schemes` of authentication."""

    @get(
        ["/schema/openapi.json", "/openapi.json", "/.well-known/openapi.json"],
        include_in_schema=False,
    )
    async def document(request: "Request[Any, Any, State]") -> Response[bytes]:
        """Answer with the document; made in a thread, so that orders are taken meanwhile."""
        return _answer(request, await asyncio.to_thread(_document, schemes))

    return [page, file, document, elsewhere]


@get("/docs", include_in_schema=False)
async def page(request: "Request[Any, Any, State]") -> Response[bytes]:
    """Answer with the page."""
    return _answer(request, _page())


@get("/docs/{file:str}", include_in_schema=False)
async def file(request: "Request[Any, Any, State]") -> Response[bytes]:
    """Answer with a file of the page's."""
    name = request.path_params["file"]
    if name not in _FILES:
        raise NotFoundException
    return _answer(request, _file(name))


@get(["/", "/.well-known/swagger"], include_in_schema=False, sync_to_thread=False)
def elsewhere() -> Response[str]:
    """Send a browser that was given the bare address, or GoFr's, to the page."""
    return Response("", status_code=307, headers={"location": "/docs"}, media_type="text/plain")


@cache
def _document(schemes: tuple[str, ...]) -> Asset:
    return _asset("application/json", _pack(openapi.document(schemes)))


@cache
def _page() -> Asset:
    html = (STATIC / "docs.html").read_text(encoding="utf-8")
    for name in _FILES:
        html = html.replace(f'"docs/{name}"', f'"docs/{name}?{_file(name).digest}"')
    policy = ("content-security-policy", _POLICY)
    return _asset("text/html", _pack(html.encode()), (policy,))


@cache
def _file(name: str) -> Asset:
    vendored = STATIC / f"{name}.gz"
    if vendored.exists():
        return _asset(_FILES[name], vendored.read_bytes())
    return _asset(_FILES[name], _pack((STATIC / name).read_bytes()))


def _pack(plain: bytes) -> bytes:
    return gzip.compress(plain, 6, mtime=0)


def _asset(media_type: str, packed: bytes, headers: tuple[tuple[str, str], ...] = ()) -> Asset:
    return Asset(media_type, packed, sha256(packed).hexdigest()[:16], headers)


def _answer(request: "Request[Any, Any, State]", asset: Asset) -> Response[bytes]:
    """Answer compressed if the caller takes that, and with 304 if it has the file."""
    packed = takes_gzip(request.headers.get("accept-encoding", "").encode())
    tag = f'"{asset.digest}{"-gzip" if packed else ""}"'
    named = request.scope["query_string"] == asset.digest.encode()
    headers = {
        "etag": tag,
        "vary": "accept-encoding",
        "cache-control": "public, max-age=31536000, immutable" if named else "no-cache",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        **dict(asset.headers),
    }
    if matches(request.headers.get("if-none-match", ""), tag):
        return Response(b"", status_code=304, headers=headers, media_type=asset.media_type)
    if packed:
        headers["content-encoding"] = "gzip"
    return Response(
        asset.packed if packed else asset.plain, headers=headers, media_type=asset.media_type
    )
