"""A service for tests that only read, or only add to it: one for each file."""

from collections.abc import Iterator

import httpx
import pytest

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
