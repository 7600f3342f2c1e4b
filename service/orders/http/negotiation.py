"""Content negotiation (RFC 9110, 12) on the bytes of the headers.

The API takes and gives only `application/json`; an error is `application/problem+json` whatever
the caller accepts, because saying why beats saying nothing (RFC 9110, 12.1).
"""

import re
from typing import TYPE_CHECKING, Final

from orders.errors import NotAcceptable, UnsupportedMediaType

if TYPE_CHECKING:
    from collections.abc import Iterable

_QVALUE: Final = re.compile(rb"0(\.[0-9]{0,3})?|1(\.0{0,3})?").fullmatch
# Commas and semicolons in a quoted string separate nothing (RFC 9110, 5.6.4).
_ELEMENTS: Final = re.compile(rb'(?:[^,"]|"(?:[^"\\]|\\.)*"|")+').findall
_PARTS: Final = re.compile(rb'(?:[^;"]|"(?:[^"\\]|\\.)*"|")+').findall
_JSON: Final = ((b"application/json", 2), (b"application/*", 1), (b"*/*", 0))


def joined(headers: "Iterable[tuple[bytes, bytes]]") -> list[tuple[bytes, bytes]]:
    """Return the headers with repeated fields joined by commas, in order (RFC 9110, 5.3)."""
    fields: dict[bytes, bytes] = {}
    for name, value in headers:
        fields[name] = fields[name] + b", " + value if name in fields else value
    return list(fields.items())


def check_accept(accept: bytes | None) -> None:
    """Check that the caller takes JSON; the most specific matching media range decides.

    Raises:
        NotAcceptable: the caller does not.

    """
    if accept is not None and accept.strip() and not _weight(accept, _JSON):
        raise NotAcceptable


def check_content(content_type: bytes | None, content_encoding: bytes | None) -> None:
    """Check that a body, if its type is named, is uncompressed JSON in UTF-8.

    Raises:
        UnsupportedMediaType: it is not; the problem's headers say what is accepted.

    """
    coding = (content_encoding or b"").strip().lower()
    if coding not in {b"", b"identity"}:
        msg = f"the body is encoded ({_shown(coding)}); send it unencoded"
        raise UnsupportedMediaType(msg, headers=(("accept-encoding", "identity"),))
    if content_type is None:
        return
    media_type, *parameters = (part.strip().lower() for part in content_type.split(b";"))
    if media_type != b"application/json":
        raise not_json(content_type)
    for parameter in parameters:
        name, _, value = parameter.partition(b"=")
        if name == b"charset" and value.strip(b'"') not in {b"utf-8", b"utf8"}:
            raise not_json(content_type)


def not_json(content_type: bytes | None) -> UnsupportedMediaType:
    """Return the problem for a body that is not declared as JSON."""
    given = "missing" if content_type is None else _shown(content_type)
    msg = f"the Content-Type is {given}; it must be application/json, in UTF-8"
    return UnsupportedMediaType(msg, headers=(("accept", "application/json"),))


def takes_gzip(accept_encoding: bytes | None) -> bool:
    """Whether a gzip body may be sent (RFC 9110, 12.5.3)."""
    ranges = ((b"gzip", 2), (b"x-gzip", 1), (b"*", 0))
    return accept_encoding is not None and _weight(accept_encoding, ranges) > 0


def _weight(header: bytes, ranges: tuple[tuple[bytes, int], ...]) -> float:
    """Return the weight of the most specific of `ranges` in the header; 0 if it has none."""
    ranks = dict(ranges)
    best, weight = -1, 0.0
    for element in _ELEMENTS(header.lower()):
        name, *parameters = (part.strip() for part in _PARTS(element))
        rank = ranks.get(name, -1)
        if rank > best:
            best, weight = rank, _quality(parameters)
    return weight


def _quality(parameters: list[bytes]) -> float:
    """Return `q` (RFC 9110, 12.4.2); one that is missing or malformed counts as 1."""
    for parameter in parameters:
        name, _, value = parameter.partition(b"=")
        if name.rstrip() == b"q":
            return float(value) if _QVALUE(value) else 1.0
    return 1.0


def _shown(value: bytes) -> str:
    return value[:100].decode("latin-1")
