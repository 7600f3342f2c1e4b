"""What a role or a database sets changes no answer: what matters is pinned for each connection."""

import asyncio
from collections.abc import Callable, Iterator
from urllib.parse import urlsplit

import httpx
import pytest

from orders.config import Config
from orders.store.connector import Connector
from orders.store.migrate import migrate
from tests.helpers.postgres import Databases
from tests.helpers.server import Server

Start = Callable[..., Server]

SETTINGS = {
    "default_transaction_isolation": "serializable",
    "default_transaction_deferrable": "on",
    "lock_timeout": "1ms",
    "statement_timeout": "500ms",
    "idle_session_timeout": "500ms",
    "idle_in_transaction_session_timeout": "500ms",
    "transaction_timeout": "500ms",
    "synchronous_commit": "off",
    "search_path": "shop, public",
    "DateStyle": "SQL, DMY",
    "timezone": "Asia/Kathmandu",
    "IntervalStyle": "sql_standard",
    "bytea_output": "escape",
    "extra_float_digits": "-10",
    "client_encoding": "LATIN1",
    "plan_cache_mode": "force_custom_plan",
}
"""Each is what somebody has set for a role, or would break a service that trusts the default."""


@pytest.fixture
def database(postgres: Databases) -> Iterator[str]:
    """Make a database with a schema of its own; its URL."""
    url = postgres.database()
    postgres.execute("CREATE SCHEMA shop", url)
    yield url
    postgres.drop(url)


def name_of(url: str) -> str:
    """Return the name of a database."""
    return urlsplit(url).path.removeprefix("/")


async def answers(server: Server) -> list[object]:
    """Return what a fixed row of requests gives, without what differs each time."""
    async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
        key = {"idempotency-key": '"k"'}
        order = {"item": "tée ☕", "quantity": 2}
        races = await asyncio.gather(
            *(client.post("/orders", json=order, headers=key) for _ in range(20))
        )
        plain = await asyncio.gather(*(client.post("/orders", json=order) for _ in range(20)))
        many = await client.post("/orders/batch", json=[order] * 3)
        read = await client.get(races[0].headers["location"])
        page = await client.get("/orders?limit=100")
        ids = {answer.json()["id"] for answer in races}
        same = read.json() == races[0].json()
        utc = {order["created_at"].endswith("Z") for order in page.json()}
        return [
            sorted({answer.status_code for answer in [*races, *plain, many, read, page]}),
            len(ids),
            same,
            utc,
            {order["item"] for order in page.json()},
            len(page.json()),
        ]


@pytest.mark.parametrize("setting", SETTINGS)
async def test_a_setting_changes_no_answer(
    database: str, postgres: Databases, serve: Start, setting: str
) -> None:
    """Migrations, creates, races on a key, reads and pages are as without it."""
    postgres.execute(f"ALTER DATABASE {name_of(database)} SET {setting} = {quoted(setting)}")
    done = await migrate(database)
    server = serve(DATABASE_URL=database)
    found = await answers(server)
    schema = "shop" if setting == "search_path" else "public"
    rows = postgres.execute(
        "SELECT schemaname::text FROM pg_tables WHERE tablename = 'orders'", database
    )

    assert done.applied
    assert [[200, 201], 1, True, {True}, {"tée ☕"}, 24] == found
    assert [(schema,)] == rows


async def test_what_matters_is_pinned(database: str, postgres: Databases) -> None:
    """A connection has time-outs, isolation, durability and plans of the service's choice."""
    expected = {
        "statement_timeout": "5s",
        "lock_timeout": "0",
        "idle_session_timeout": "0",
        "idle_in_transaction_session_timeout": "5s",
        "transaction_timeout": "0",
        "default_transaction_isolation": "read committed",
        "synchronous_commit": "on",
        "plan_cache_mode": "force_generic_plan",
        "enable_seqscan": "off",
    }
    for setting in SETTINGS:
        postgres.execute(f"ALTER DATABASE {name_of(database)} SET {setting} = {quoted(setting)}")
    config = Config.from_env({"DATABASE_URL": database}).needed_database()
    session = await Connector(config, statement_timeout=5).connect()
    found = await session.fetch(
        "SELECT name, current_setting(name) FROM unnest($1::text[]) AS name", [[*expected]]
    )
    session.close()

    assert expected == dict(found)


def quoted(setting: str) -> str:
    """Return a value as ALTER DATABASE takes it: a path is a list, all others are one text."""
    value = SETTINGS[setting]
    return value if setting == "search_path" else f"'{value}'"


async def test_a_role_chooses_its_schema(database: str, postgres: Databases, serve: Start) -> None:
    """Two roles with a schema each have orders of their own in one database."""
    pages = []
    roles = ["orders_test_one", "orders_test_two"]
    try:
        for role in roles:
            postgres.execute(f"CREATE ROLE {role} LOGIN")
            postgres.execute(f"CREATE SCHEMA AUTHORIZATION {role}", database)
            place = urlsplit(database)
            url = place._replace(netloc=f"{role}@{place.hostname}:{place.port}").geturl()
            await migrate(url)
            server = serve(DATABASE_URL=url)
            async with httpx.AsyncClient(base_url=server.url) as client:
                await client.post("/orders", json={"item": role, "quantity": 1})
                pages.append([one["item"] for one in (await client.get("/orders")).json()])
            server.stop()
    finally:
        for role in roles:
            postgres.execute(f"DROP OWNED BY {role} CASCADE", database)
            postgres.execute(f"DROP ROLE {role}")

    assert [["orders_test_one"], ["orders_test_two"]] == pages
