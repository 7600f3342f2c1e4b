"""What keeps writes out of a real PostgreSQL is named, while reads go on."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx
import pytest

from tests.helpers.postgres import PostgresServer
from tests.helpers.server import Server, eventually

Start = Callable[..., Server]

ORDER = {"item": "tea", "quantity": 1}
TRIGGER = "CREATE TRIGGER refuse BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION refuse()"


def refuse(condition: str) -> list[str]:
    """Have the database refuse every order, as if a condition of PostgreSQL's were met."""
    body = f"BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{condition}'; END"
    return [f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $${body}$$", TRIGGER]


class Guest(NamedTuple):
    """A role that may use the tables of a database, whose URL is for it, or for the owner."""

    role: str
    url: str
    owner: str

    def run(self, postgres: PostgresServer, *script: str) -> None:
        """Run statements as the owner; `{}` is the role."""
        for sql in script:
            postgres.execute(sql.format(self.role), self.owner)


@pytest.fixture
def guest(private_postgres: PostgresServer) -> Iterator[Guest]:
    """Make the role."""
    owner = private_postgres.migrated_database()
    role = f"guest_{secrets.token_hex(4)}"
    private_postgres.execute(f"CREATE ROLE {role} LOGIN")
    private_postgres.execute(f"GRANT ALL ON ALL TABLES IN SCHEMA public TO {role}", owner)
    parts = urlsplit(owner)
    yield Guest(
        role, parts._replace(netloc=f"{role}@{parts.netloc.partition('@')[2]}").geturl(), owner
    )
    private_postgres.terminate_backends(owner)
    private_postgres.execute(f"DROP OWNED BY {role}", owner)
    private_postgres.execute(f"DROP ROLE {role}")


@pytest.mark.parametrize(
    ("reason", "block", "unblock"),
    [
        ("privilege", ["REVOKE INSERT ON orders FROM {}"], "GRANT INSERT ON orders TO {}"),
        ("disk", refuse("disk_full"), "DROP FUNCTION refuse CASCADE"),
        ("other", refuse("raise_exception"), "DROP FUNCTION refuse CASCADE"),
    ],
    ids=["privilege", "disk", "other"],
)
async def test_what_refuses_writes_is_named(  # noqa: PLR0913  fixtures, and one case
    private_postgres: PostgresServer,
    serve: Start,
    guest: Guest,
    reason: str,
    block: list[str],
    unblock: str,
) -> None:
    """A refusal of every write is in readiness and in a metric at 200, until it is over."""
    server = serve(DATABASE_URL=guest.url)

    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
        path = (await client.post("/orders", json=ORDER)).headers["location"]

        async def blocked() -> bool:
            metrics = await client.get(f"{server.metrics_url}/metrics")
            return f'orders_writes_blocked{{reason="{reason}"}} 1.0' in metrics.text

        await asyncio.to_thread(guest.run, private_postgres, *block)
        refused = await client.post("/orders", json=ORDER)
        await eventually(blocked)
        ready = await client.get("/readyz?verbose")
        read = await client.get(path)
        await asyncio.to_thread(guest.run, private_postgres, unblock)

        async def over() -> bool:
            return "[+]writes ok" in (await client.get("/readyz?verbose")).text

        await eventually(over)

    assert 500 <= refused.status_code
    assert [200, 200] == [ready.status_code, read.status_code]
    assert "[!]writes blocked: " in ready.text
    assert "readyz check passed" in ready.text


async def test_a_row_that_is_refused_blocks_nothing(
    private_postgres: PostgresServer, serve: Start
) -> None:
    """When one row alone is refused, writes are not said to be blocked."""
    url = private_postgres.migrated_database()
    # A sequence stays where it is when a transaction is rolled back, as a trial is.
    body = "BEGIN PERFORM nextval('inserts'); RETURN NEW; END"
    for sql in (
        "ALTER TABLE orders ADD CHECK (item <> 'poison')",
        "CREATE SEQUENCE inserts",
        f"CREATE FUNCTION tally() RETURNS trigger LANGUAGE plpgsql AS $${body}$$",
        "CREATE TRIGGER tally BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION tally()",
    ):
        await asyncio.to_thread(private_postgres.execute, sql, url)
    server = serve(DATABASE_URL=url)
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
        refused = await client.post("/orders", json=ORDER | {"item": "poison"})

        async def tried() -> bool:
            sql = "SELECT last_value FROM inserts"
            [(inserts,)] = await asyncio.to_thread(private_postgres.execute, sql, url)
            return int(inserts) > 1

        await eventually(tried)
        ready = await client.get("/readyz?verbose")

    assert 500 <= refused.status_code
    assert "[+]writes ok" in ready.text


async def test_readiness_fails_where_no_connection_serves(
    private_postgres: PostgresServer, serve: Start, guest: Guest
) -> None:
    """With no connection but the one that answers readiness, the service is not ready."""
    server = serve(DATABASE_URL=guest.url)
    limit = "ALTER ROLE {} CONNECTION LIMIT "
    others = (
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE usename = '{}' AND query NOT LIKE '%orders_migrations%'"
    )
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:

        async def ready(expected: int) -> bool:
            return (await client.get("/readyz")).status_code == expected

        await asyncio.to_thread(guest.run, private_postgres, limit + "1", others)
        await client.post("/orders", json=ORDER)
        await eventually(lambda: ready(503))
        await asyncio.to_thread(guest.run, private_postgres, limit + "-1")
        await eventually(lambda: ready(200))
