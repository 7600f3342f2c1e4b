"""Which web pages of other origins may use the API: CORS, as the Fetch standard has it.

CORS is off unless an origin is named. GoFr's names are read too; its `*` with credentials is not
allowed, because no browser accepts that.
"""

import re
from typing import Final

from msgspec import Struct

from orders_common import parse
from orders_common.settings import Reader, Setting

EVERYONE: Final = "*"
"""Stands for every origin, or for every header."""

_ORIGIN: Final = re.compile(
    r"(?P<scheme>[a-z][a-z0-9+.-]*)://(?:[a-z0-9._-]+|\[[0-9a-f:.]+\])(?::(?P<port>[0-9]{1,5}))?"
).fullmatch
_TOKEN: Final = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+").fullmatch
_USUAL_PORT: Final = {"http": "80", "https": "443"}
_NEEDS: Final = "only with CORS_ALLOW_ORIGINS"


def _listed(value: str) -> list[str]:
    """Split a list at its commas; every part once, in lower case."""
    return list(dict.fromkeys(part.strip().lower() for part in value.split(",") if part.strip()))


def _origins(value: str) -> str:
    """Take origins as browsers send them, or the wildcard alone."""
    found = _listed(value)
    for origin in found:
        match = _ORIGIN(origin)
        if origin == EVERYONE and len(found) == 1:
            continue
        if match is None or match["port"] == _USUAL_PORT.get(match["scheme"], ""):
            raise ValueError(value)  # browsers leave out the usual port: it would never be equal
    if not found:
        raise ValueError(value)
    return ", ".join(found)


def _headers(value: str) -> str:
    """Take names of headers, or the wildcard alone."""
    found = _listed(value)
    if not found or not all(map(_TOKEN, found)) or (EVERYONE in found and len(found) > 1):
        raise ValueError(value)
    return ", ".join(found)


CORS: Final = (
    Setting(
        "cors_origins",
        ("CORS_ALLOW_ORIGINS", "ACCESS_CONTROL_ALLOW_ORIGIN"),
        _origins,
        None,
        "origins as browsers send them, such as https://shop.example.com or "
        "http://localhost:3000, separated by commas; or * for all",
        "Web pages of these origins may use the API. [CORS](cors.md) explains what that means.",
        "CORS",
    ),
    Setting(
        "cors_credentials",
        ("CORS_ALLOW_CREDENTIALS", "ACCESS_CONTROL_ALLOW_CREDENTIALS"),
        parse.boolean,
        default=False,
        allowed=f"true, false; {_NEEDS}; true only if no CORS list is *, which browsers "
        "refuse with credentials",
        about="Whether browsers send cookies and client certificates; an `Authorization` that "
        "the page itself sets does not need this.",
        group="CORS",
    ),
    Setting(
        "cors_headers",
        ("CORS_ALLOW_HEADERS", "ACCESS_CONTROL_ALLOW_HEADERS"),
        _headers,
        "authorization, x-api-key, content-type, idempotency-key, if-match, if-none-match, "
        "traceparent, tracestate",
        f"names of headers, separated by commas, or * for all; {_NEEDS}",
        "The headers such a page may send, besides those that every page may. A list replaces "
        "the default.",
        "CORS",
    ),
    Setting(
        "cors_exposed",
        ("CORS_EXPOSE_HEADERS", "ACCESS_CONTROL_EXPOSE_HEADERS"),
        _headers,
        "location, etag, link, idempotency-replayed, retry-after, www-authenticate, "
        "x-correlation-id",
        f"names of headers, separated by commas, or * for all; {_NEEDS}",
        "The headers of an answer that such a page may read.",
        "CORS",
    ),
    Setting(
        "cors_max_age",
        ("CORS_MAX_AGE", "ACCESS_CONTROL_MAX_AGE"),
        parse.duration(0, 86_400),
        600.0,
        f"a duration, 0 to 24h; {_NEEDS}",
        "How long a browser may remember what it was allowed; some browsers cap it at 2 h.",
        "CORS",
        unit="s",
    ),
)


class Cors(Struct, frozen=True):
    """What browsers are told; a list is names in lower case with commas, or `EVERYONE`."""

    origins: str
    credentials: bool
    headers: str
    exposed: str
    max_age: float


def read_cors(reader: Reader) -> Cors | None:
    """Read the settings; None when no origin is allowed.

    Raises:
        ValueError: with the field that is wrong.

    """
    origins, credentials, headers, exposed, max_age = map(reader.read, CORS)
    if origins is None:
        for setting in CORS:
            if reader.given(setting) is not None:
                raise ValueError(setting.field)
        return None
    if credentials and EVERYONE in {origins, headers, exposed}:
        raise ValueError("cors_credentials")
    return Cors(origins, credentials, headers, exposed, max_age)
