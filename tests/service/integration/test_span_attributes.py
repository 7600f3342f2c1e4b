"""What the span of a request says, as the semantic conventions have it; hot and cold alike."""

import socket

import httpx

from orders.auth.api_keys import new_key
from tests.helpers.collector import Collector, attributes
from tests.helpers.server import Server
from tests.helpers.tokens import signer

NO_ORDER = "/orders/00000000-0000-7000-8000-000000000000"
SOURCE = "127.0.0.1"
PARENT = b"00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"


def test_a_span_has_what_the_conventions_ask_for(traced: Server, collector: Collector) -> None:
    """Path, query, scheme, server, caller and user agent; a query only where there is one."""
    agent = {"user-agent": "test/1"}
    httpx.get(traced.url + NO_ORDER, headers=agent)
    httpx.get(f"{traced.url}/orders?limit=7&sig=s3cret&token=s3cret", headers=agent)
    traced.stop()
    (hot,) = collector.named("GET /orders/{id}")
    (cold,) = collector.named("GET /orders")

    common = {
        "http.request.method": "GET",
        "url.scheme": "http",
        "server.address": SOURCE,
        "server.port": traced.port,
        "client.address": SOURCE,
        "network.peer.address": SOURCE,
        "network.protocol.version": "1.1",
        "user_agent.original": "test/1",
    }
    found = [attributes(span) for span in (hot, cold)]
    ports = [span.pop("network.peer.port") for span in found]
    assert all(isinstance(port, int) and port != traced.port for port in ports)
    assert found[0] == common | {
        "http.route": "/orders/{id}",
        "http.response.status_code": 404,
        "url.path": NO_ORDER,
        "orders.problem": "order-not-found",
    }
    assert found[1] == common | {
        "http.route": "/orders",
        "http.response.status_code": 400,
        "url.path": "/orders",
        "url.query": "limit=7&sig=REDACTED&token=REDACTED",
        "orders.problem": "invalid-request",
    }


def test_a_span_has_no_credential_of_its_caller(traced: Server, collector: Collector) -> None:
    """A key or token in the query, in the path or as the user agent reaches no collector."""
    key, token = new_key(), signer().token()
    with httpx.Client(base_url=traced.url, timeout=30) as client:
        for secret in (key, token):
            client.get(f"/orders?limit=7&x-api-key={secret}", headers={"user-agent": secret})
            client.get(f"/orders/{secret}?{secret}", headers={"user-agent": f"a/1 {secret}"})
            client.get(f"/{secret}")
    traced.stop()
    found = [attributes(span) for span in collector.spans if span.name.startswith("GET")]

    assert 6 == len(found)
    assert not [span for span in found if key in str(span) or token in str(span)]
    assert {"limit=7&x-api-key=***", "***"} == {span.get("url.query", "***") for span in found}
    assert {"/orders", "/orders/***", "/***"} == {span["url.path"] for span in found}


def test_a_proxy_says_who_asked(traced: Server, collector: Collector) -> None:
    """The first proxy counts for scheme and caller; the peer is whoever has the connection."""
    cases: list[tuple[list[tuple[str, str]], str, str]] = [
        ([("X-Forwarded-For", "192.0.2.1, 10.0.0.1")], "http", "192.0.2.1"),
        ([("X-Forwarded-For", "192.0.2.1"), ("X-Forwarded-For", "10.0.0.1")], "http", "192.0.2.1"),
        ([("X-Forwarded-Proto", "https"), ("X-Forwarded-For", "nobody")], "https", SOURCE),
        ([("X-Forwarded-Proto", "gopher")], "http", SOURCE),
        (
            [("Forwarded", 'for="[2001:db8::1]:4711";proto=https, for=10.0.0.1;proto=http')],
            "https",
            "2001:db8::1",
        ),
        ([("Forwarded", "for=_hidden"), ("X-Forwarded-For", "192.0.2.9")], "http", SOURCE),
    ]
    for path in (NO_ORDER, "/orders"):
        for headers, _, _ in cases:
            httpx.get(traced.url + path, headers=headers)
    traced.stop()
    spans = [attributes(span) for span in collector.spans if span.name.startswith("GET")]
    found = [(span["url.scheme"], span["client.address"]) for span in spans]

    assert [(scheme, client) for _, scheme, client in cases] * 2 == found
    assert {SOURCE} == {span["network.peer.address"] for span in spans}


def test_the_server_is_what_the_caller_asked(traced: Server, collector: Collector) -> None:
    """Host and port of the first proxy's request, else of Host; what is no host is left out."""
    cases: list[tuple[dict[str, str], tuple[str | None, int | None]]] = [
        ({"Host": "orders.shop.svc:8000"}, ("orders.shop.svc", 8000)),
        ({"Host": "orders"}, ("orders", None)),
        ({"Host": "[2001:db8::1]:80"}, ("2001:db8::1", 80)),
        ({"Host": "in", "X-Forwarded-Host": "shop.test:8443, b"}, ("shop.test", 8443)),
        ({"Host": "in", "X-Forwarded-Host": '"a b'}, ("in", None)),
        ({"Host": "in:1", "Forwarded": 'for=192.0.2.1;host="shop.test:444"'}, ("shop.test", 444)),
        ({"Host": "in:1", "Forwarded": "for=192.0.2.1"}, ("in", 1)),
        ({"Host": "in:1", "X-Forwarded-Host": "a" * 300}, ("in", 1)),
        ({"Host": "in:70000"}, (None, None)),
    ]
    for path in (NO_ORDER, "/orders"):
        for headers, _ in cases:
            httpx.get(traced.url + path, headers=headers)
    traced.stop()
    spans = [attributes(span) for span in collector.spans if span.name.startswith("GET")]
    found = [(span.get("server.address"), span.get("server.port")) for span in spans]

    assert [server for _, server in cases] * 2 == found


def test_an_old_version_of_http_is_told(traced: Server, collector: Collector) -> None:
    """HTTP/1.0 is called 1.0; it may have no Host, and then nobody knows which server it is."""
    for path in (NO_ORDER, "/orders"):
        with socket.create_connection(("127.0.0.1", traced.port), 15) as connection:
            connection.sendall(f"GET {path} HTTP/1.0\r\n\r\n".encode())
            assert connection.makefile("rb").read().startswith(b"HTTP/1.0 ")
    traced.stop()
    spans = [attributes(span) for span in collector.spans if span.name.startswith("GET")]

    assert ["1.0"] * 2 == [span["network.protocol.version"] for span in spans]
    assert not any("server.address" in span for span in spans)


def test_a_span_has_only_so_much_of_a_caller(traced: Server, collector: Collector) -> None:
    """What callers choose is cut, for spans wait in memory; a tracestate too long is left out."""
    state = {"tracestate": "a=" + "b" * 1000}
    parent = {"traceparent": PARENT.decode()}
    long = "a" * 3000
    httpx.request(
        "B" * 1000, f"{traced.url}/{long}?q={long}", headers={"user-agent": long} | state | parent
    )
    traced.stop()
    (span,) = collector.named("HTTP")
    found = attributes(span)

    assert not span.trace_state
    assert {"url.path": 256, "url.query": 256} == {
        name: len(str(found[name])) for name in ("url.path", "url.query")
    }
    assert {256} == {
        len(str(found[name])) for name in ("user_agent.original", "http.request.method_original")
    }


def test_no_caller_keeps_spans_from_the_collector(traced: Server, collector: Collector) -> None:
    """Broken UTF-8, control characters and headers that are none cost nobody else a span."""
    odd: list[tuple[str, dict[bytes, bytes]]] = [
        ("/%FF%00%0A", {}),
        ("/orders?a=%FF%00&%ED%A0%80", {}),
        (NO_ORDER, {b"user-agent": b"caf\xc3\xa9 \xff"}),
        (NO_ORDER, {b"x-forwarded-for": b"caf\xe9", b"forwarded": b'for="'}),
        (NO_ORDER, {b"traceparent": PARENT, b"tracestate": b"=,;=\t, a=b, a=b"}),
        ("/orders", {b"traceparent": PARENT, b"tracestate": b"caf\xe9=1", b"host": b"%zz"}),
    ]
    for path, headers in odd:
        httpx.get(traced.url + path, headers=headers)
    httpx.get(f"{traced.url}/last")
    traced.stop()

    assert len(odd) + 1 == sum(span.kind == span.SPAN_KIND_SERVER for span in collector.spans)
