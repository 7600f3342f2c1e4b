"""PostgreSQL for the tests: the embedded one, or the one of TEST_DATABASE_URL.

Every test has databases of its own, which are dropped after it; those with the schema are copies
of one that was migrated once.
"""

import asyncio
import contextlib
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import psqlpy

from orders.embedded import EmbeddedPostgres, Mode
from orders.store.migrate import migrate
from tests.helpers.ports import free_port
from tests.helpers.stopped_processes import stopped

TEST_DATABASE_URL = os.environ.get("TEST_DATABASE_URL")
"""A database of another server that tests may use; its role must be able to create databases."""

QUICK = {"fsync": "off", "full_page_writes": "off"}
"""Settings of a server whose data nobody misses."""

Rows = list[tuple[Any, ...]]

_servers = itertools.count(1)
"""Numbers for names: those of two servers are never the same, so that either can have both."""


@contextlib.contextmanager
def reachable_folder() -> Iterator[Path]:
    """Make a folder for a server's data: pytest's may be closed to whom PostgreSQL runs as."""
    folder = Path(tempfile.mkdtemp(prefix="orders-tests-"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder)


class Databases:
    """Makes databases on a server, and drops them."""

    def __init__(self, url: str) -> None:
        """Take the URL of any database there, to which the others' URLs are alike."""
        self._url = url
        self._prefix = f"orders_test_{os.getpid()}_{next(_servers)}"
        self._numbers = itertools.count(1)
        self._made: list[str] = []
        self._template: str | None = None

    def url(self, database: str) -> str:
        """Return the URL of a database of this server."""
        return urlsplit(self._url)._replace(path=f"/{database}").geturl()

    def database(self, template: str = "template0") -> str:
        """Make an empty database, or a copy of another; return its URL."""
        name = f"{self._prefix}_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        self._made.append(name)
        return self.url(name)

    def migrated_database(self) -> str:
        """Make a database that has the schema and no orders; return its URL."""
        if self._template is None:
            template = f"{self._prefix}_template"
            self.execute(f"CREATE DATABASE {template} TEMPLATE template0")
            _wait_for(migrate(self.url(template)))
            self._template = template
        return self.database(self._template)

    def drop(self, *urls: str) -> None:
        """Drop databases that were made, with whoever is connected."""
        for url in urls:
            name = urlsplit(url).path.removeprefix("/")
            self._made.remove(name)
            self.execute(f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")

    def drop_databases(self, *, template: bool = False) -> None:
        """Drop what was made, with whoever is connected; the template only if asked."""
        if template and self._template is not None:
            self._made.append(self._template)
            self._template = None
        while self._made:
            self.execute(f"DROP DATABASE IF EXISTS {self._made.pop()} WITH (FORCE)")

    def execute(self, sql: str, url: str | None = None) -> Rows:
        """Run one statement on a connection of its own; return its rows."""
        rows: Rows = _wait_for(_execute(sql, url or self._url))
        return rows

    def backend_pids(self, url: str) -> list[int]:
        """Return the processes that serve the connections to a database that have a name.

        Those of the tests have none, and may be there for a moment after they were closed.
        """
        rows = self.execute(
            "SELECT pid FROM pg_stat_activity"
            " WHERE datname = current_database() AND application_name <> ''",
            url,
        )
        return [pid for (pid,) in rows]

    def last_backend(self, url: str, *statements: str) -> int:
        """Return the service's process that last began a statement with one of these texts.

        A service runs its statements once on each connection that it opens, so wait until it has
        them all (`Server.all_connected`).
        """
        rows = self.execute(
            "SELECT pid, query FROM pg_stat_activity WHERE datname = current_database()"
            " AND application_name LIKE 'orders %' ORDER BY query_start DESC",
            url,
        )
        return int(next(pid for pid, query in rows if any(text in query for text in statements)))

    def terminate_backends(self, url: str) -> int:
        """Kill every connection to a database; return how many there were."""
        rows = self.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
            " WHERE backend_type = 'client backend'"
            " AND datname = current_database() AND pid <> pg_backend_pid()",
            url,
        )
        return len(rows)


class PostgresServer(Databases):
    """A server of the tests' own on 127.0.0.1, which may be stopped and started."""

    def __init__(self, settings: Mapping[str, str] | None = None) -> None:
        """Make the data; its port stays the same for good."""
        self._stack = contextlib.ExitStack()
        self._server = EmbeddedPostgres(
            self._stack.enter_context(reachable_folder()),
            port=free_port(),
            settings={"max_connections": "200", "log_min_messages": "fatal"}
            | dict(settings or {}),
        )
        super().__init__(self._server.url("postgres"))
        self.running = False

    def start(self) -> None:
        """Return when it takes connections; does nothing when it runs."""
        if not self.running:
            self._server.start()
            self.running = True

    @contextlib.contextmanager
    def frozen(self, url: str) -> Iterator[None]:
        """Stop the processes that serve a database, and the one that takes connections."""
        with stopped(self.pid, *self.backend_pids(url)):
            yield

    def stop(self, mode: Mode = "fast") -> None:
        """Stop it: `smart`, `fast` or `immediate`."""
        self._server.stop(mode)
        self.running = False

    @property
    def pid(self) -> int:
        """The process that takes connections; all others are its children."""
        assert self._server.pid is not None
        return self._server.pid

    def remove(self) -> None:
        """Stop it and forget its data."""
        self.stop("immediate")
        self._stack.close()


async def _execute(sql: str, url: str) -> Rows:
    connection = await psqlpy.connect(dsn=url)
    try:
        return (await connection.fetch(sql, prepared=False)).result(as_tuple=True)
    finally:
        connection.close()


def _wait_for(work: Any) -> Any:
    """Run a coroutine to its end, whether or not this thread has a loop that runs."""
    with ThreadPoolExecutor(1) as thread:
        return thread.submit(asyncio.run, work).result()
