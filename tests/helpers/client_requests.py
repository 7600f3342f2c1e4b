"""What ordinary clients send, as they send it: the requests that must be hot.

Each is what the client puts on the wire beside Host, Connection and the length of a body.
"""

from typing import Final, Literal, NamedTuple

from orders.http.conditional import etag
from tests.helpers.raw_http import Request

Headers = tuple[tuple[str, str], ...]

GOOD: Final = b'{"item":"espresso beans, 1 kg","quantity":3}'

_CHROME: Final = (
    ("sec-ch-ua", '"Chromium";v="130", "Google Chrome";v="130", "Not?A_Brand";v="99"'),
    ("sec-ch-ua-mobile", "?0"),
    ("sec-ch-ua-platform", '"Windows"'),
    ("User-Agent", "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/130.0.0.0 Safari/537.36"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("Accept-Language", "en-US,en;q=0.9,de;q=0.8"),
    ("Cookie", "_ga=GA1.1.1; theme=dark"),
)
_FETCH: Final = (
    ("Accept", "*/*"),
    ("Origin", "https://shop.test"),
    ("Referer", "https://shop.test/cart"),
    ("Sec-Fetch-Dest", "empty"),
    ("Sec-Fetch-Mode", "cors"),
    ("Sec-Fetch-Site", "cross-site"),
)
_NAVIGATION: Final = (
    (
        "Accept",
        "text/html,application/xhtml+xml,application/xml;q=0.9,image/avif,image/webp,*/*;q=0.8",
    ),
    ("Cache-Control", "max-age=0"),
    ("Upgrade-Insecure-Requests", "1"),
    ("Sec-Fetch-Mode", "navigate"),
    ("Sec-Fetch-User", "?1"),
)
_FIREFOX: Final = (
    ("User-Agent", "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0"),
    ("Accept-Language", "en-US,en;q=0.5"),
    ("Accept-Encoding", "gzip, deflate, br, zstd"),
    ("DNT", "1"),
    ("Priority", "u=4"),
)
_SPRING: Final = (("Accept", "application/json, application/*+json"), ("User-Agent", "Java/21"))
_JAVA: Final = (
    ("Connection", "Upgrade, HTTP2-Settings"),
    ("Upgrade", "h2c"),
    ("HTTP2-Settings", "AAEAAEAAAAIAAAABAAMAAABkAAQBAAAAAAUAAEAA"),
    ("User-Agent", "Java-http-client/21.0.4"),
)
_MESH: Final = (
    ("X-Request-Id", "6d1f3c0a-0d7e-9e5c-a4f2-3f1f1b9e0d11"),
    ("X-Forwarded-For", "203.0.113.7"),
    ("X-Forwarded-Proto", "https"),
    ("X-Envoy-Attempt-Count", "1"),
    ("traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-00"),
    ("tracestate", "congo=t61rcWkgMzE"),
)


class Client(NamedTuple):
    """The headers of its reads and of its creates; how it frames a body."""

    read: Headers
    create: Headers
    framing: Literal["length", "chunked"] = "length"


def _sends(
    headers: Headers,
    content_type: str = "application/json",
    framing: Literal["length", "chunked"] = "length",
) -> Client:
    return Client(headers, (("Content-Type", content_type), *headers), framing)


CLIENTS: Final[dict[str, Client]] = {
    "axios": _sends(
        (
            ("Accept", "application/json, text/plain, */*"),
            ("User-Agent", "axios/1.7.9"),
            ("Accept-Encoding", "gzip, compress, deflate, br"),
        )
    ),
    "axios in a browser": _sends(
        (("Accept", "application/json, text/plain, */*"), *_FETCH[1:], *_CHROME)
    ),
    "fetch in Chrome": _sends((*_FETCH, *_CHROME)),
    "fetch in Firefox": _sends((*_FETCH, *_FIREFOX)),
    "Chrome's address bar": _sends((*_NAVIGATION, *_CHROME)),
    "fetch in Node": _sends(
        (
            ("accept", "*/*"),
            ("accept-language", "*"),
            ("sec-fetch-mode", "cors"),
            ("user-agent", "node"),
            ("accept-encoding", "gzip, deflate"),
        )
    ),
    "Spring": _sends(_SPRING),
    "Spring, with a charset": _sends(_SPRING, "application/json;charset=UTF-8"),
    "Spring, streaming": _sends(_SPRING, "application/json", "chunked"),
    "Spring, as text": _sends(
        (
            ("Accept", "text/plain, application/json, application/*+json, */*"),
            ("User-Agent", "Apache-HttpClient/5.3.1 (Java/17.0.12)"),
            ("Accept-Encoding", "gzip, x-gzip, deflate"),
        )
    ),
    "Java": _sends(_JAVA),
    "Java's HttpURLConnection": _sends(
        (
            ("Accept", "text/html, image/gif, image/jpeg, *; q=.2, */*; q=.2"),
            ("User-Agent", "Java/1.8.0_422"),
        )
    ),
    "OkHttp": _sends(
        (("Accept-Encoding", "gzip"), ("User-Agent", "okhttp/4.12.0")),
        "application/json; charset=utf-8",
    ),
    ".NET": _sends((), "application/json; charset=utf-8", "chunked"),
    ".NET, traced": _sends(
        (("traceparent", "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00"),),
        "application/json; charset=utf-8",
        "chunked",
    ),
    ".NET, buffered": _sends((), "application/json; charset=utf-8"),
    ".NET Framework": _sends((("Expect", "100-continue"),), "application/json; charset=utf-8"),
    "RestSharp": _sends(
        (
            (
                "Accept",
                (
                    "application/json, text/json, text/x-json, text/javascript, application/xml,"
                    " text/xml"
                ),
            ),
            ("User-Agent", "RestSharp/112.1.0.0"),
            ("Accept-Encoding", "gzip, deflate, br"),
        )
    ),
    "Go": _sends((("User-Agent", "Go-http-client/1.1"), ("Accept-Encoding", "gzip"))),
    "curl": _sends((("User-Agent", "curl/8.10.1"), ("Accept", "*/*"))),
    "requests": _sends(
        (
            ("User-Agent", "python-requests/2.32.3"),
            ("Accept-Encoding", "gzip, deflate"),
            ("Accept", "*/*"),
        )
    ),
    "httpx": _sends(
        (
            ("Accept", "*/*"),
            ("Accept-Encoding", "gzip, deflate, br, zstd"),
            ("User-Agent", "python-httpx/0.28.1"),
        )
    ),
    "aiohttp": _sends(
        (
            ("Accept", "*/*"),
            ("Accept-Encoding", "gzip, deflate"),
            ("User-Agent", "Python/3.12 aiohttp/3.11"),
        )
    ),
    "Guzzle": _sends((("User-Agent", "GuzzleHttp/7"),)),
    "Ruby": _sends(
        (
            ("Accept-Encoding", "gzip;q=1.0,deflate;q=0.6,identity;q=0.3"),
            ("Accept", "*/*"),
            ("User-Agent", "Faraday v2.12.0"),
        )
    ),
    "reqwest": _sends((("accept", "*/*"),)),
    "Swift": _sends(
        (
            ("Accept", "*/*"),
            ("User-Agent", "Shop/1 CFNetwork/1568.100.1 Darwin/24.0.0"),
            ("Accept-Language", "en-GB,en;q=0.9"),
            ("Accept-Encoding", "gzip, deflate"),
        )
    ),
    "Postman": _sends(
        (
            ("User-Agent", "PostmanRuntime/7.42.0"),
            ("Accept", "*/*"),
            ("Cache-Control", "no-cache"),
            ("Postman-Token", "0b4c1a0e-5a51-4f4e-9f5c-3e2f6a1d8b77"),
            ("Accept-Encoding", "gzip, deflate, br"),
        )
    ),
    "k6": _sends((("User-Agent", "Grafana k6/0.54.0"),)),
    "a client behind a mesh": _sends((("Accept", "application/json"), *_MESH)),
    "a client that repeats what does not matter": _sends((("Cookie", "a=1"), ("Cookie", "b=2"))),
}


def requests(client: Client, order_id: str) -> tuple[Request, ...]:
    """Return what a client asks: to create, to read, to look, and whether it changed."""
    path = f"/orders/{order_id}"
    unchanged = ("If-None-Match", etag(order_id))
    return (
        Request("POST", "/orders", client.create, (GOOD,), client.framing),
        Request(
            "POST",
            "/orders",
            (*client.create, ("Idempotency-Key", '"of a client"')),
            (GOOD[:20], GOOD[20:]),
            client.framing,
        ),
        Request("GET", path, client.read),
        Request("HEAD", path, client.read),
        Request("GET", path, (*client.read, unchanged)),
        Request("HEAD", path, (*client.read, unchanged)),
        Request("GET", path, (*client.read, ("If-None-Match", '"other"'))),
    )
