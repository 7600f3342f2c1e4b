"""What the tests run against: PostgreSQL and the service, both the real ones."""

import functools
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import hypothesis
import pytest

from tests.helpers.guarded_service import Closed, closing
from tests.helpers.postgres import QUICK, TEST_DATABASE_URL, Databases, PostgresServer
from tests.helpers.server import Server, end_all

# The same examples each time, and no clock: what fails on one machine fails on all.
hypothesis.settings.register_profile("tests", derandomize=True, deadline=None, database=None)
hypothesis.settings.load_profile("tests")


@pytest.fixture(scope="session", autouse=True)
def _authorities_are_read_once() -> Iterator[None]:
    """Have clients of httpx share what they trust by default, which takes 20 ms of CPU to read."""
    make = httpx.create_ssl_context
    shared = functools.cache(make)
    default = {"verify": True, "cert": None, "trust_env": True}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            "httpx._transports.default.create_ssl_context",
            lambda **options: shared() if options == default else make(**options),
        )
        yield


@pytest.fixture(scope="session", autouse=True)
def _no_server_stays() -> Iterator[None]:
    """Leave no server behind, whatever failed."""
    yield
    end_all()


@pytest.fixture(scope="session")
def postgres() -> Iterator[Databases]:
    """Run the server that tests share."""
    if TEST_DATABASE_URL is not None:
        given = Databases(TEST_DATABASE_URL)
        yield given
        given.drop_databases(template=True)
        return
    server = PostgresServer(QUICK)
    server.start()
    yield server
    server.remove()


@pytest.fixture
def database(postgres: Databases) -> Iterator[str]:
    """Make an empty database; its URL."""
    url = postgres.database()
    yield url
    postgres.drop(url)


@pytest.fixture
def database_url(postgres: Databases) -> Iterator[str]:
    """Make a database with the schema and no orders; its URL."""
    url = postgres.migrated_database()
    yield url
    postgres.drop(url)


@pytest.fixture(scope="session")
def _faulty_postgres() -> Iterator[PostgresServer]:
    if TEST_DATABASE_URL is not None:
        pytest.skip("TEST_DATABASE_URL is set, and a server of somebody else is not to be stopped")
    server = PostgresServer()
    yield server
    server.remove()


@pytest.fixture
def private_postgres(_faulty_postgres: PostgresServer) -> Iterator[PostgresServer]:
    """Have a running, durable server that no other test uses at the same time."""
    _faulty_postgres.start()
    yield _faulty_postgres
    _faulty_postgres.start()
    _faulty_postgres.drop_databases()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start services: `serve(DATABASE_URL=...)`, with `wait_for=None` before it is ready.

    At the end each is stopped by SIGTERM, and must end with `status`, unless the test killed it.
    """
    servers: list[tuple[Server, int]] = []

    def start(
        command: str = "serve",
        wait_for: str | None = "/readyz",
        status: int = 0,
        **environ: str,
    ) -> Server:
        server = Server(tmp_path / f"{command}-{len(servers)}.log", command, **environ)
        servers.append((server, status))
        if wait_for is not None:
            server.wait_for(wait_for)
        return server

    yield start
    ends = [server.stop() for server, _ in servers]
    for (server, status), end in zip(servers, ends, strict=True):
        assert end in {status, -signal.SIGKILL}, server.output()


@pytest.fixture(scope="module")
def server(postgres: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start the service that all of these tests share."""
    log = tmp_path_factory.mktemp("api") / "serve.log"
    url = postgres.migrated_database()
    started = Server(log, DATABASE_URL=url)
    started.wait_for()
    yield started
    assert 0 == started.stop()
    postgres.drop(url)


@pytest.fixture(scope="module")
def closed(postgres: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    """Start such a service."""
    folder = tmp_path_factory.mktemp("closed")
    made = closing(folder)
    credentials = {"--api-key-file": folder / "api-key", "--token-file": folder / "token"}
    for file, content in zip(credentials.values(), (made.api_key, made.token), strict=True):
        file.write_text(f"{content}\n")
    url = postgres.migrated_database()
    started = Server(folder / "serve.log", DATABASE_URL=url, **made.environ)
    started.wait_for()
    yield Closed(started.url, made.authority, credentials)
    assert 0 == started.stop()
    postgres.drop(url)
