"""Requests for the hot endpoints, good, bad and odd: what two readers might judge apart."""

from collections.abc import Iterator

from orders.http.conditional import etag
from tests.helpers.client_requests import CLIENTS, requests
from tests.helpers.raw_http import JSON, Request

SEEDED = "<seeded>"
"""Stands in requests for the id of an order that exists."""

TAG = etag(SEEDED)[1:-1]
"""Its entity tag, without the quotes."""

UNKNOWN = "0199d2f6-7c1e-7b52-9d5c-0f6b8a1c2e3d"
GOOD = b'{"item":"tea","quantity":2}'

BODIES = (
    GOOD,
    b' \r\n\t{"quantity": 2, "item": "tea"} ',
    b'{"item":"tea","quantity":1,"quantity":2}',
    b'{"item":"t\\u00e9\\ud83c\\udf75","quantity":1000000}',
    b'{"item":"' + "🍵".encode() * 200 + b'","quantity":1}',
    b'{"item":"' + "🍵".encode() * 201 + b'","quantity":1}',
    b'{"item":"","quantity":1}',
    b'{"item":"a\\u0000b","quantity":1}',
    b'{"item":"a\x00b","quantity":1}',
    b'{"item":"\\ud800","quantity":1}',
    b'{"item":"\xff\xfe","quantity":1}',
    b'{"item":"\xed\xa0\x80","quantity":1}',
    b'\xef\xbb\xbf{"item":"tea","quantity":2}',
    '{"item":"tea","quantity":2}'.encode("utf-16"),
    *(
        b'{"item":"tea","quantity":%b}' % quantity
        for quantity in (
            b"0", b"-1", b"1000000", b"1000001", b"3.0", b"1e2", b"3.5", b"-0.0", b"1e400",
            b"9223372036854775808", b"1" + b"0" * 400, b'"3"', b"true", b"null", b"NaN", b"[1]",
        )
    ),
    *(
        b'{"item":%b,"quantity":2}' % item
        for item in (b"5", b"null", b"true", b"[]", b"{}", b'"\\x"', b'"a\nb"', b"'tea'")
    ),
    b'{"item":"tea"}',
    b'{"quantity":2}',
    b"{}",
    b'{"item":"tea","quantity":2,"price":3}',
    b'{"a/b~c":1,"item":"tea","quantity":2}',
    b'{"item":"tea","quantity":3.0,"price":3}',
    b"[]",
    b'[{"item":"tea","quantity":2}]',
    b"null",
    b"5",
    b'"tea"',
    b"",
    b" ",
    b"\x00",
    b"tea",
    b'{"item":"tea","quantity":2',
    b'{"item":"tea","quantity":2}}',
    b'{"item":"tea","quantity":2} {}',
    b'{"item":"tea",}',
    b'{"x":' + b"[" * 20_000 + b"]" * 20_000 + b"}",
    b"[" * 5_000,
    GOOD + b" " * (65_536 - len(GOOD)),
    GOOD + b" " * (65_537 - len(GOOD)),
    GOOD + b" " * 300_000,
)  # fmt: skip

HEADERS: tuple[tuple[tuple[str, str], ...], ...] = (
    (),
    *(
        (("Content-Type", value),)
        for value in (
            "application/json; charset=utf-8", "application/json;charset=UTF-8",
            'application/json ;charset="utf-8"', "application/json; charset=latin-1",
            "Application/JSON", "text/json",
            "application/json; x=y", "application/problem+json", "text/plain", "*/*", "", "json",
            "application/x-www-form-urlencoded", "multipart/form-data; boundary=x",
            "multipart/form-data", "application/json, application/json", "é",
            "application/msgpack",
        )
    ),
    (JSON, JSON),
    (JSON, ("Content-Type", "text/plain")),
    *(
        (JSON, ("Content-Encoding", value))
        for value in ("identity", "gzip", "", "br, gzip", "IDENTITY")
    ),
    *(
        (JSON, ("Accept", value))
        for value in (
            "*/*", "application/json", "application/*", "text/html", "text/html, */*;q=0.1",
            "application/json;q=0", "*/*;q=0, application/json", "", " ", "application/json, */*",
            "APPLICATION/JSON", "application/json;version=1", "nonsense", "application/json;q=x",
            "image/png;q=1, application/json;q=0.0", "application/problem+json",
        )
    ),
    (JSON, ("Accept", "text/html"), ("Accept", "application/json")),
    (JSON, ("Accept", "text/html"), ("Accept", "text/plain")),
    *(
        (JSON, ("Idempotency-Key", value))
        for value in (
            "plain-1", '"quoted-1"', '"plain-1"', '"with space"', "with space", '"a\\"b\\\\"',
            '"a\\b"', '"', '""', "", "a,b", '"a,b"', "k" * 255, "k" * 256, '"' + "q" * 255 + '"',
            '"' + "q" * 256 + '"', "é", '"é"', "a\tb", '"tab\t"', "  trimmed  ", '"x";p=1', "'x'",
            '"x"; a="b,c"', '"x" ;p', '"x";P', '"x";', "x;p=1",
            '"\\""', "a\\b", 'a"b',
        )
    ),
    (JSON, ("Idempotency-Key", "one"), ("Idempotency-Key", "two")),
    (JSON, ("Idempotency-Key", "one"), ("Idempotency-Key", "one")),
    *((JSON, ("If-Match", value)) for value in ("*", '"x"', "")),
    *((JSON, ("If-None-Match", value)) for value in ("*", '"x"', "")),
    (JSON, ("Expect", "100-continue")),
    (JSON, ("X-Anything", "1"), ("X-Anything", "2")),
    (JSON, ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01")),
    (JSON, ("Cookie", "a=b"), ("Authorization", "Basic x")),
    (JSON, ("Origin", "https://elsewhere.test")),
    (JSON, ("Content-Type ", "text/plain")),
)  # fmt: skip

IDS = (
    SEEDED, UNKNOWN, UNKNOWN.upper(), UNKNOWN.replace("-", ""), "{" + UNKNOWN + "}", "5", "batch",
    UNKNOWN + "0", UNKNOWN[:-1], UNKNOWN + "/", UNKNOWN + "/x", "%20", "%00", "%ff", "%2e%2e",
    "..", ".", "a%2Fb", "%30199d2f6-7c1e-7b52-9d5c-0f6b8a1c2e3d", UNKNOWN + "%0a", UNKNOWN + "?",
    "", UNKNOWN + "?x=1", SEEDED + "?limit=1", SEEDED + "?", "x" * 5_000, "é",
    "00000000-0000-0000-0000-000000000000",
    "urn:uuid:" + UNKNOWN, SEEDED + ";v=1", "0199d2f6_7c1e_7b52_9d5c_0f6b8a1c2e3d",
)  # fmt: skip

CONDITIONS: tuple[tuple[tuple[str, str], ...], ...] = (
    *(
        (("If-None-Match", value),)
        for value in (
            f'"{TAG}"', f'W/"{TAG}"', "*", '"other"', f'"other", "{TAG}"', "",
            f"{TAG}", '"', f'"{SEEDED}-other"', "é",
        )
    ),
    *(
        (("If-Match", value),)
        for value in (
            f'"{TAG}"', f'W/"{TAG}"', "*", '"other"', f'"other" , "{TAG}"', "",
            f'W/"other", "{TAG}"', "é",
        )
    ),
    (("If-Match", '"other"'), ("If-Match", f'"{TAG}"')),
    (("If-Match", f'"{TAG}"'), ("If-None-Match", "*")),
    (("If-None-Match", '"other"'), ("If-None-Match", f'"{TAG}"')),
    (("If-Modified-Since", "Sun, 06 Nov 2094 08:49:37 GMT"),),
    (("Range", "bytes=0-3"),),
    (("Accept", "text/html"),),
    (("Accept", "text/html"), ("If-None-Match", "*")),
    (("Content-Type", "text/plain"),),
)  # fmt: skip

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "get", "BREW")
PATHS = (
    "/orders", "/orders/", "//orders", "/orders?", "/orders?x=1", "/orders?limit=1",
    "/orders?limit=0", "/orders/batch", "/", "/nothing", "/Orders", "/orders%2F", "/%6frders",
    "/orders/" + SEEDED, "/orders/" + UNKNOWN, "/orders#x", "*", "/livez", "/docs/none",
    "/orders?ids=" + SEEDED, f"/orders?ids={UNKNOWN},{SEEDED},{UNKNOWN}", "/orders?ids=",
    "/orders?ids=" + SEEDED + ",", "/orders?ids=5", f"/orders?ids={SEEDED}&item=tea",
    "/orders?item=tea&limit=1", "/orders?item=none", "/orders?item=", "/orders?item=a%00b",
    "/orders?item=%F0%9F%8D%B5&created_after=2026-01-31T08:15:30Z", "/orders?created_after=5",
    "/orders?created_before=2026-01-31T08:15:30.5%2B02:00&created_after=2026-01-31T06:15:30.5Z",
    "/orders?created_before=2026-01-31T08:15:30+02:00", "/orders?created_before=2026-01-31",
)  # fmt: skip


def catalogue() -> Iterator[Request]:
    """Yield every request, always the same and in the same order."""
    for body in BODIES:
        yield Request("POST", "/orders", (JSON,), (body,))
        yield Request("POST", "/orders", (JSON,), (body[:5], body[5:]), "chunked")
    for headers in HEADERS:
        yield Request("POST", "/orders", headers, (GOOD,))
        yield Request("POST", "/orders", headers, (b'{"item":"tea","quantity":3}',))
        yield Request("POST", "/orders", headers)
        yield Request("POST", "/orders?x=1", headers, (b"{",))
    for order_id in IDS:
        for method in ("GET", "HEAD", "POST"):
            yield Request(method, f"/orders/{order_id}")
    for headers in CONDITIONS:
        for order_id in (SEEDED, UNKNOWN, "5"):
            yield Request("GET", f"/orders/{order_id}", headers)
            yield Request("HEAD", f"/orders/{order_id}", headers)
    for method in METHODS:
        for path in PATHS:
            yield Request(method, path)
            yield Request(method, path, (JSON,), (GOOD,))
    for client in CLIENTS.values():
        yield from requests(client, SEEDED)
    padded = GOOD[:-1] + b" " * 40_000 + b"}"
    pieces = tuple(padded[start : start + 700] for start in range(0, len(padded), 700))
    yield Request("POST", "/orders", (JSON,), pieces)
    yield Request("POST", "/orders", (JSON,), tuple(bytes([byte]) for byte in GOOD), "chunked")
    yield Request("POST", "/orders", (JSON,), (b" " * 40_000, b" " * 40_000, GOOD), "chunked")
    for coding in ("gzip, chunked", "CHUNKED", "identity"):
        yield Request("POST", "/orders", (JSON, ("Transfer-Encoding", coding)), (GOOD,), "none")
    yield Request("POST", "/orders", (JSON, ("Content-Length", "5")), (GOOD,), "chunked")
    yield Request("GET", f"/orders/{SEEDED}", (JSON,), (GOOD,))
    yield Request("GET", f"/orders/{SEEDED}", (), (GOOD,), "chunked")
    for length in ("0", "5", "x", "-1", "65537", "99999999999999999999"):
        yield Request("POST", "/orders", (JSON, ("Content-Length", length)), (GOOD,), "none")
