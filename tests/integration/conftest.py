"""Services for tests that only read, or only add to them: one of each kind for each file."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import httpx
import pytest

from tests.certificates import Authority
from tests.closed import closing
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


class Closed(NamedTuple):
    """A service over TLS that asks who calls, and files with what it takes."""

    url: str
    authority: Authority
    credentials: dict[str, Path]
    """By the flag of a command that takes the file."""


@pytest.fixture(scope="module")
def closed(postgres: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    """Start such a service."""
    folder = tmp_path_factory.mktemp("closed")
    made = closing(folder)
    credentials = {"--api-key-file": folder / "api-key", "--token-file": folder / "token"}
    for file, content in zip(credentials.values(), (made.api_key, made.token), strict=True):
        file.write_text(f"{content}\n")
    started = Server(
        folder / "serve.log", DATABASE_URL=postgres.migrated_database(), **made.environ
    )
    started.wait_for()
    yield Closed(started.url, made.authority, credentials)
    assert 0 == started.stop()
    postgres.drop_databases()


@pytest.fixture
def collector() -> Iterator[Collector]:
    """Listen for spans over HTTP."""
    with Collector() as listening:
        yield listening


@pytest.fixture
def traced(database_url: str, serve: Callable[..., Server], collector: Collector) -> Server:
    """Run a service that records every request."""
    return serve(DATABASE_URL=database_url, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
