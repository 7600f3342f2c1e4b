"""Content negotiation, by its headers."""

import pytest

from orders.errors import NotAcceptable, UnsupportedMediaType
from orders.http.negotiation import check_accept, check_content, joined, takes_gzip

BROWSER = b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


@pytest.mark.parametrize(
    "accept",
    [
        None,
        b"",
        b"*/*",
        b"application/json",
        b"Application/JSON",
        b"application/*",
        BROWSER,
        b"application/json;charset=utf-8",
        b"text/html;q=0, application/json;q=0.001",
        b"*/*;q=0, application/json",
        b"application/*;q=0, application/json ; q=0.5",
        b"application/json;q=odd",
        b"application/json;q=nan",
        b"application/json;q=-1",
    ],
)
def test_json_is_acceptable(accept: bytes | None) -> None:
    """JSON is given to whoever does not exclude it."""
    check_accept(accept)


@pytest.mark.parametrize(
    "accept",
    [
        b"text/html",
        b"application/xml, text/*",
        b"application/problem+json",
        b"application/json;q=0",
        b"application/json;q=0.000, */*",
        b"*/*;q=0",
        b"application/*;q=0, */*",
        b"json",
    ],
)
def test_json_is_not_acceptable(accept: bytes) -> None:
    """The most specific range decides, and a weight of 0 excludes."""
    with pytest.raises(NotAcceptable):
        check_accept(accept)


@pytest.mark.parametrize(
    "content_type",
    [
        None,
        b"application/json",
        b"Application/JSON; Charset=UTF-8",
        b'application/json;charset="utf-8"',
        b"application/json; charset=utf8; profile=x",
        b"application/json;",
    ],
)
@pytest.mark.parametrize("content_encoding", [None, b"", b"identity", b"Identity"])
def test_json_is_taken(content_type: bytes | None, content_encoding: bytes | None) -> None:
    """Plain JSON in UTF-8 is taken, whatever other parameters its type has."""
    check_content(content_type, content_encoding)


@pytest.mark.parametrize(
    "content_type",
    [
        b"",
        b"text/plain",
        b"text/json",
        b"application/json+x",
        b"application/vnd.orders+json",
        b"application/x-www-form-urlencoded",
        b"application/json; charset=latin-1",
        b"application/json, application/json",
    ],
)
def test_other_types_are_not_taken(content_type: bytes) -> None:
    """Another type or charset is refused, with the type that would be taken."""
    with pytest.raises(UnsupportedMediaType) as caught:
        check_content(content_type, None)

    assert (("accept", "application/json"),) == caught.value.headers


def test_compressed_bodies_are_not_taken() -> None:
    """A content coding is refused, with the one that would be taken (RFC 9110, 12.5.3)."""
    with pytest.raises(UnsupportedMediaType) as caught:
        check_content(b"application/json", b"gzip")

    assert (("accept-encoding", "identity"),) == caught.value.headers


@pytest.mark.parametrize(
    ("accept_encoding", "takes"),
    [
        (None, False),
        (b"", False),
        (b"gzip", True),
        (b"br, GZIP;q=0.5", True),
        (b"x-gzip", True),
        (b"*", True),
        (b"gzip;q=0, *", False),
        (b"identity", False),
    ],
)
def test_gzip_is_sent_to_those_who_take_it(accept_encoding: bytes | None, *, takes: bool) -> None:
    """A compressed file is for those who name gzip or anything, with a weight."""
    assert takes == takes_gzip(accept_encoding)


def test_repeated_headers_are_joined() -> None:
    """Fields of one name become one, in their order."""
    headers = [(b"accept", b"a"), (b"host", b"h"), (b"accept", b"b")]

    assert [(b"accept", b"a, b"), (b"host", b"h")] == joined(headers)
