"""What the span of a request says, as the semantic conventions have it; hot and cold alike."""

import httpx

from tests.collector import Collector, attributes
from tests.server import Server

NO_ORDER = "/orders/00000000-0000-7000-8000-000000000000"
SOURCE = "127.0.0.1"


def test_a_span_has_what_the_conventions_ask_for(traced: Server, collector: Collector) -> None:
    """Path, query, scheme, caller and user agent; a query only where there is one."""
    agent = {"user-agent": "test/1"}
    httpx.get(traced.url + NO_ORDER, headers=agent)
    httpx.get(f"{traced.url}/orders?limit=7&sig=s3cret&token=s3cret", headers=agent)
    traced.stop()
    (hot,) = collector.named("GET /orders/{id}")
    (cold,) = collector.named("GET /orders")

    common = {
        "http.request.method": "GET",
        "url.scheme": "http",
        "client.address": SOURCE,
        "user_agent.original": "test/1",
    }
    assert attributes(hot) == common | {
        "http.route": "/orders/{id}",
        "http.response.status_code": 404,
        "url.path": NO_ORDER,
        "orders.problem": "order-not-found",
    }
    assert attributes(cold) == common | {
        "http.route": "/orders",
        "http.response.status_code": 400,
        "url.path": "/orders",
        "url.query": "limit=7&sig=REDACTED&token=REDACTED",
        "orders.problem": "invalid-request",
    }


def test_what_is_long_is_cut(traced: Server, collector: Collector) -> None:
    """Of what a caller may make as long as a head a span has no more than 256 characters."""
    with httpx.Client(headers={"user-agent": "a" * 5_000}) as client:
        client.get(traced.url + NO_ORDER)
        client.request("B" * 1_000, f"{traced.url}/orders/{'c' * 5_000}?{'d' * 5_000}")
    traced.stop()
    spans = [attributes(span) for span in collector.spans if span.name != "SELECT orders"]
    lengths = [len(text) for span in spans for text in span.values() if isinstance(text, str)]

    assert 2 == len(spans)
    assert 256 == max(lengths)
    assert 5 == lengths.count(256)


def test_a_proxy_says_who_asked(traced: Server, collector: Collector) -> None:
    """The first proxy counts for scheme and caller; the connection's address is told as well."""
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
    peers = [span.get("network.peer.address") for span in spans]

    assert [(scheme, client) for _, scheme, client in cases] * 2 == found
    assert [None if client == SOURCE else SOURCE for *_, client in cases] * 2 == peers
