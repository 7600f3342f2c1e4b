"""Services for tests that only read, or only add to them: one of each kind for each file."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.helpers.collector import Collector
from tests.helpers.server import Server


@pytest.fixture(scope="module")
def api(server: Server) -> Iterator[httpx.Client]:
    """Open a client of it."""
    with httpx.Client(base_url=server.url) as client:
        yield client


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Listen for spans over HTTP."""
    with Collector() as listening:
        yield listening


@pytest.fixture
def traced(database_url: str, serve: Callable[..., Server], collector: Collector) -> Server:
    """Run a service that records every request."""
    return serve(DATABASE_URL=database_url, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
