"""A service for tests that only read, or only add to it: one for each file; and a traced one."""

from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.collector import Collector
from tests.postgres import Databases
from tests.server import Server


@pytest.fixture(scope="module")
def server(postgres: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start the service that all of these tests share."""
    log = tmp_path_factory.mktemp("api") / "serve.log"
    started = Server(log, DATABASE_URL=postgres.migrated_database())
    started.wait_for()
    yield started
    assert 0 == started.stop()
    postgres.drop_databases()


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
