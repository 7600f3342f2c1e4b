"""What callers and the log are told when the database refuses, or keeps out, what it is sent."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from typing import NamedTuple

import httpx
import pytest

from tests.helpers.migration_files import ask, session
from tests.helpers.postgres import PostgresServer
from tests.helpers.problem_document import problem
from tests.helpers.server import Server, eventually

Start = Callable[..., Server]

ORDER = {"item": "tea", "quantity": 1}
KEY = {"Idempotency-Key": '"a"'}
NUMBER = 100


@pytest.fixture
async def server(database_url: str, serve: Start) -> Server:
    """Start a service."""
    return await asyncio.to_thread(serve, DATABASE_URL=database_url)


class Clerk(NamedTuple):
    """A role that may do what the service does, and no more."""

    url: str
    owner: str
    """The URL of whoever may take that away."""


@pytest.fixture
async def clerk(private_postgres: PostgresServer) -> AsyncIterator[Clerk]:
    """Make the role."""
    owner = private_postgres.migrated_database()
    await run(
        owner,
        "CREATE ROLE clerk LOGIN",
        "GRANT SELECT, INSERT ON orders, order_keys, orders_migrations TO clerk",
    )
    yield Clerk(owner.replace("postgres@", "clerk@"), owner)
    await run(owner, "DROP OWNED BY clerk", "DROP ROLE clerk")


@pytest.fixture
async def api(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client of it."""
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as client:
        yield client


async def run(database: str, *statements: str) -> None:
    """Run statements, each on a connection of its own."""
    for statement in statements:
        await ask(database, statement)


async def create_many_at_once(api: httpx.AsyncClient) -> Counter[str]:
    """Create orders at the same time, half of them with a key; count the problems."""
    answers = await asyncio.gather(
        *(
            api.post(
                "/orders",
                json=ORDER,
                headers={"Idempotency-Key": f'"key {n}"'} if n % 2 else {},
            )
            for n in range(NUMBER)
        )
    )
    return Counter("" if answer.is_success else problem(answer) for answer in answers)


def lines(server: Server) -> list[str]:
    """Return what the log says of refusals; a traceback is none of it."""
    output = server.output()
    assert "Traceback" not in output
    return [line for line in output.splitlines() if "the database refused" in line]


async def test_requests_with_one_key_at_once_are_one_order(
    database_url: str, api: httpx.AsyncClient
) -> None:
    """Two payloads under one key: one of them is the order's, the other one is refused."""
    answers = await asyncio.gather(
        *(
            api.post("/orders", json=ORDER | {"quantity": 1 + n % 2}, headers=KEY)
            for n in range(NUMBER)
        )
    )
    stored = await ask(database_url, "SELECT id::text, quantity FROM orders")
    created = [answer.json() for answer in answers if answer.status_code == 201]
    refused = [answer for answer in answers if answer.status_code != 201]

    assert stored == list({(order["id"], order["quantity"]) for order in created})
    assert NUMBER / 2 == len(created) == len(refused)
    assert {"idempotency-key-reused"} == {problem(answer) for answer in refused}


@pytest.mark.parametrize("level", ["read committed", "repeatable read", "serializable"])
async def test_a_race_on_a_key_is_a_replay_at_any_isolation(
    database_url: str, serve: Start, level: str
) -> None:
    """Whatever the database is set to, who waited for the other one's commit gets its order."""
    name = database_url.rpartition("/")[2]
    await ask(database_url, f"ALTER DATABASE {name} SET default_transaction_isolation = '{level}'")
    server = await asyncio.to_thread(serve, DATABASE_URL=database_url)
    async with (
        httpx.AsyncClient(base_url=server.url, timeout=20) as api,
        session(database_url) as other,
    ):
        await other("BEGIN")
        [(first,)] = await other(
            "INSERT INTO order_keys (key, ids) VALUES ('a', ARRAY[gen_random_uuid()])"
            " RETURNING ids[1]::text"
        )
        await other("INSERT INTO orders SELECT ids[1], 'tea', 1, now() FROM order_keys")
        sent = asyncio.ensure_future(api.post("/orders", json=ORDER, headers=KEY))

        async def is_waiting() -> bool:
            return bool(await ask(database_url, "SELECT 1 FROM pg_locks WHERE NOT granted"))

        await eventually(is_waiting)
        await other("COMMIT")
        answer = await sent

    assert (201, first) == (answer.status_code, answer.json()["id"])
    assert "true" == answer.headers["idempotency-replayed"]


async def test_a_key_whose_order_was_deleted_is_a_conflict(
    database_url: str, api: httpx.AsyncClient
) -> None:
    """It is 409 and says so; another key makes a new order."""
    await api.post("/orders", json=ORDER, headers=KEY)
    await ask(database_url, "DELETE FROM orders")
    gone = await api.post("/orders", json=ORDER, headers=KEY)
    other = await api.post("/orders", json=ORDER, headers={"Idempotency-Key": '"b"'})

    assert (409, "order-missing") == (gone.status_code, problem(gone))
    assert 201 == other.status_code


async def test_a_row_that_was_kept_out_is_an_error(
    database_url: str, server: Server, api: httpx.AsyncClient
) -> None:
    """A trigger that returns NULL has some orders fail, the others not, and is in the log."""
    await run(
        database_url,
        "CREATE FUNCTION keep_out() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        "CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW WHEN (NEW.quantity = 7)"
        " EXECUTE FUNCTION keep_out()",
    )
    orders = [{"item": f"{n}", "quantity": 7 if n % 10 == 0 else 1} for n in range(NUMBER)]
    answers = await asyncio.gather(*(api.post("/orders", json=order) for order in orders))
    many = await api.post("/orders/batch", json=orders)

    assert [500 if order["quantity"] == 7 else 201 for order in orders] == [
        answer.status_code for answer in answers
    ]
    assert (500, "internal") == (many.status_code, problem(many))
    assert "a trigger may have kept it out" in lines(server)[0]


async def test_a_plan_that_is_out_of_date_is_no_error(
    database_url: str, api: httpx.AsyncClient
) -> None:
    """A column's type changes under a prepared statement: the next read has a new connection."""
    made = (await api.post("/orders", json=ORDER)).json()
    await ask(database_url, "ALTER TABLE orders ALTER COLUMN item TYPE varchar(200)")
    reads = [await api.get(f"/orders/{made['id']}") for _ in range(5)]
    pages = [await api.get("/orders") for _ in range(5)]
    created = await api.post("/orders", json=ORDER, headers=KEY)
    replayed = await api.post("/orders", json=ORDER, headers=KEY)

    assert [made] * 5 == [read.json() for read in reads]
    assert [[made]] * 5 == [page.json() for page in pages]
    assert created.json() == replayed.json()


async def test_a_plan_is_out_of_date_after_another_refusal(clerk: Clerk, serve: Start) -> None:
    """A connection that lacked a privilege once still notices that its plan is out of date."""
    server = await asyncio.to_thread(serve, DATABASE_URL=clerk.url)
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as api:
        path = (await api.post("/orders", json=ORDER)).headers["location"]
        await ask(clerk.owner, "REVOKE SELECT ON orders FROM clerk")
        revoked = [(await api.get(path)).status_code for _ in range(4)]
        await ask(clerk.owner, "GRANT SELECT ON orders TO clerk")
        await ask(clerk.owner, "ALTER TABLE orders ALTER COLUMN item TYPE varchar(200)")
        altered = [(await api.get(path)).status_code for _ in range(4)]

    assert [[503] * 4, [200] * 4] == [revoked, altered]


async def test_privileges_that_are_gone_are_unavailability(clerk: Clerk, serve: Start) -> None:
    """Every create is 503, at once and without a search for a row at fault; reads go on."""
    server = await asyncio.to_thread(serve, DATABASE_URL=clerk.url)
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as api:
        before = await create_many_at_once(api)
        made = (await api.get("/orders?limit=1")).json()[0]
        await ask(clerk.owner, "REVOKE INSERT ON orders FROM clerk")
        revoked = await create_many_at_once(api)
        read = await api.get(f"/orders/{made['id']}")
        await ask(clerk.owner, "GRANT INSERT ON orders TO clerk")
        granted = await create_many_at_once(api)

    assert [{"": NUMBER}, {"database-unavailable": NUMBER}, {"": NUMBER}] == [
        before,
        revoked,
        granted,
    ]
    assert made == read.json()
    assert "permission denied for table orders" in lines(server)[0]


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ('could not extend file "base/5/16385": No space left on device', "database-unavailable"),
        ("this order is not wanted", "internal"),
    ],
)
async def test_a_refusal_that_may_pass_is_unavailability(
    database_url: str, server: Server, api: httpx.AsyncClient, message: str, expected: str
) -> None:
    """A trigger stands in for a disk that is full; what will not pass is an error."""
    await run(
        database_url,
        "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS"
        f" $$ BEGIN RAISE EXCEPTION '{message}'; END $$",
        "CREATE TRIGGER t BEFORE INSERT ON orders FOR EACH ROW EXECUTE FUNCTION refuse()",
    )
    found = await create_many_at_once(api)
    made = await api.post("/orders/batch", json=[ORDER])

    assert {expected: NUMBER} == found
    assert expected == problem(made)
    told = lines(server)
    assert message.partition('"')[0] in told[0]
    assert len(told) < NUMBER / 2
    assert [(0, 0)] == await ask(
        database_url, "SELECT (SELECT count(*) FROM orders), (SELECT count(*) FROM order_keys)"
    )


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        ("CREATE RULE r AS ON INSERT TO orders DO INSTEAD NOTHING", "database-unavailable"),
        ("DROP TABLE order_keys", "database-unavailable"),
    ],
)
async def test_tables_that_take_nothing_are_unavailability(
    database_url: str, server: Server, api: httpx.AsyncClient, statement: str, expected: str
) -> None:
    """Where no row at all would be taken, requests are not told that they are at fault."""
    await ask(database_url, statement)
    answer = await api.post("/orders", json=ORDER, headers=KEY)

    assert (503, expected) == (answer.status_code, problem(answer))
    await eventually(lambda: bool(lines(server)))


async def test_row_level_security_is_an_error(clerk: Clerk, serve: Start) -> None:
    """A row that a policy refuses is 500, and nothing is stored."""
    await ask(clerk.owner, "ALTER TABLE orders ENABLE ROW LEVEL SECURITY")
    server = await asyncio.to_thread(serve, DATABASE_URL=clerk.url)
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as api:
        answer = await api.post("/orders", json=ORDER)
    rows = await ask(clerk.owner, "SELECT 1 FROM orders")

    assert (500, "internal", []) == (answer.status_code, problem(answer), rows)
    await eventually(lambda: bool(lines(server)))
    assert "violates row-level security policy" in lines(server)[0]


async def test_a_locked_table_is_unavailability(database_url: str, serve: Start) -> None:
    """Creates are 503 by their deadline while a table is locked, and 201 after it."""
    server = await asyncio.to_thread(serve, DATABASE_URL=database_url, REQUEST_TIMEOUT="1")
    async with httpx.AsyncClient(base_url=server.url, timeout=20) as api:
        async with session(database_url) as locking:
            await locking("BEGIN")
            await locking("LOCK TABLE orders")
            answers = await asyncio.gather(*(api.post("/orders", json=ORDER) for _ in range(20)))
            await locking("COMMIT")

        async def served() -> bool:
            return (await api.post("/orders", json=ORDER)).status_code == 201

        await eventually(served)
    lines(server)

    assert {503} == {answer.status_code for answer in answers}
