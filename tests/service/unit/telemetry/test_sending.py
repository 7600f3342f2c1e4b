"""What carries spans to a collector over HTTP."""

import subprocess
import sys
from collections.abc import Iterator

import pytest
from opentelemetry.exporter.http.transport._requests import RequestsHTTPTransport
from opentelemetry.exporter.http.transport._urllib3 import Urllib3HTTPTransport
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

from orders.telemetry import sending
from tests.helpers.collector import Collector


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Listen."""
    with Collector() as listening:
        yield listening


@pytest.fixture(autouse=True)
def _without_proxies(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy", "NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)


def carrier(exporter: OTLPSpanExporter) -> type:
    """Return the class of what an exporter sends by."""
    return type(exporter._client._transport)


@pytest.mark.parametrize("endpoint", [None, "http://collector.observability:4318/v1/traces"])
def test_a_collector_in_the_cluster_needs_no_requests(endpoint: str | None) -> None:
    """Of plain HTTP there is nothing that urllib3 does not know."""
    assert Urllib3HTTPTransport is carrier(sending.exporter(endpoint, None))


def test_requests_is_not_even_imported(collector: Collector) -> None:
    """An export leaves it out of the process, and the memory that it takes."""
    program = (
        "import sys\n"
        "from orders.telemetry.sending import exporter\n"
        f"sent = exporter({collector.url + '/v1/traces'!r}, {{'authorization': 'Bearer x'}})\n"
        "assert sent.export([]).name == 'SUCCESS'\n"
        "print([name for name in ('requests', 'charset_normalizer') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, timeout=60
    )

    assert "[]\n" == done.stdout
    assert ["Bearer x"] == [headers["authorization"] for headers in collector.headers]


@pytest.mark.parametrize("name", ["http_proxy", "ALL_PROXY"])
def test_a_proxy_is_asked(
    collector: Collector, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """Where the environment names one, spans go there as ever."""
    monkeypatch.setenv(name, collector.url)
    sending.exporter("http://collector.invalid/v1/traces", None).export([])

    assert ["http://collector.invalid/v1/traces"] == collector.paths


def test_credentials_in_the_endpoint_are_sent(collector: Collector) -> None:
    """Name and password before the host are those of Basic authentication."""
    endpoint = collector.url.replace("//", "//shop:secret@")
    sending.exporter(f"{endpoint}/v1/traces", None).export([])

    assert ["Basic c2hvcDpzZWNyZXQ="] == [h["authorization"] for h in collector.headers]


def test_another_exporter_has_its_own_way(monkeypatch: pytest.MonkeyPatch) -> None:
    """With TLS, or a release of the SDK that takes no other, it is Requests."""
    assert RequestsHTTPTransport is carrier(sending.exporter("https://collector/", None))

    monkeypatch.setattr(sending, "_PARAMETER", "gone")
    assert RequestsHTTPTransport is carrier(sending.exporter("http://collector/", None))
