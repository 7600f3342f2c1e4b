"""What inserts do with keys, copies and standbys, on connections as the service has them."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

import pytest

from orders.config import Config
from orders.errors import Internal, OrderMissing
from orders.model import NewOrder
from orders.store.connections import HeldConnection
from orders.store.connector import Connector
from orders.store.inserts import Answer, KeyWithoutOrder, NewRow, insert, settle
from orders.store.refusals import RefusalLog
from orders.store.schema import Fetch
from orders.uuid7 import IdSource
from tests.helpers.absent_standby import standby_gone
from tests.helpers.fake_citus import pretend_citus
from tests.helpers.migration_files import ask
from tests.helpers.postgres import PostgresServer

_ids = IdSource()


def new(item: str, key: str | None = None) -> NewRow:
    """Make an order that nobody has sent yet."""
    order_id, ms = _ids.next()
    return NewRow(NewOrder(item, 1), key, id=order_id, ms=ms)


@asynccontextmanager
async def connections(url: str, number: int = 1) -> AsyncIterator[list[Fetch]]:
    """Open connections as the service does; yield what runs statements there."""
    connector = Connector(
        Config.from_env({"DATABASE_URL": url}).needed_database(), statement_timeout=20
    )
    async with AsyncExitStack() as stack:
        opened = [HeldConnection(connector) for _ in range(number)]
        for connection in opened:
            connection.open()
            stack.push_async_callback(connection.close)
        for connection in opened:
            await connection.ready()
        yield [connection.fetch for connection in opened]


async def send(fetch: Fetch, rows: list[NewRow]) -> list[Answer]:
    """Insert, and find out what became of the rows, as a lane does."""
    if await insert(fetch, rows) == len(rows):
        return [None] * len(rows)
    return await settle(fetch, rows, RefusalLog())


async def keep_out(url: str, table: str) -> None:
    """Have a trigger keep every row out of a table."""
    for statement in (
        "CREATE FUNCTION keep_out() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
        f"CREATE TRIGGER t BEFORE INSERT ON {table} FOR EACH ROW EXECUTE FUNCTION keep_out()",
    ):
        await ask(url, statement)


def ids(answers: list[Answer], rows: list[NewRow]) -> list[str]:
    """Return the id of the order that each row's caller is answered with."""
    return [
        row.id if answer is None else answer.id  # type: ignore[union-attr]
        for answer, row in zip(answers, rows, strict=True)
    ]


@pytest.mark.parametrize("other", ["tea", "coffee"])
async def test_one_key_twice_in_a_batch_is_one_order(database_url: str, other: str) -> None:
    """Of two rows with one key the first is stored, whatever the second one's payload is."""
    rows = [new("tea", "a"), new(other, "a"), new("tea"), new("tea", "b")]
    async with connections(database_url) as [fetch]:
        answers = await send(fetch, rows)

    assert [rows[0].id, rows[0].id, rows[2].id, rows[3].id] == ids(answers, rows)
    assert [(3,)] == await ask(database_url, "SELECT count(*) FROM orders")
    assert [("a", [rows[0].id]), ("b", [rows[3].id])] == await ask(
        database_url, "SELECT key, ids::text[] FROM order_keys ORDER BY key"
    )


async def test_batches_at_once_with_the_same_keys_do_not_deadlock(database_url: str) -> None:
    """Whatever order the keys are in, one order is stored for each, and both callers get it."""
    keys = [f"key {n}" for n in range(50)]
    async with connections(database_url, 4) as fetches:
        for turn in range(10):
            batches = [[new("tea", f"{turn} {key}") for key in keys] for _ in fetches]
            batches[1].reverse()
            batches[3].sort(key=lambda row: row.id[-4:])
            answered = await asyncio.gather(*map(send, fetches, batches))
            chosen = [
                dict(zip([row.key for row in rows], ids(answers, rows), strict=True))
                for rows, answers in zip(batches, answered, strict=True)
            ]
            assert [chosen[0]] * 4 == chosen

    assert [(500,)] == await ask(database_url, "SELECT count(*) FROM orders")


async def test_copies_of_a_batch_at_once_are_one(database_url: str) -> None:
    """A batch that is sent four times at the same time is stored once, and each copy says so."""
    async with connections(database_url, 4) as fetches:
        for turn in range(10):
            rows = [new("tea", f"{turn} {n}" if n % 2 else None) for n in range(50)]
            answered = await asyncio.gather(*(send(fetch, rows) for fetch in fetches))
            assert [[None] * 50] * 4 == answered

    assert [(500,)] == await ask(database_url, "SELECT count(*) FROM orders")


async def test_a_batch_that_is_sent_again_finds_its_own(database_url: str) -> None:
    """Its keys have its own ids, so its orders are new ones and no replays."""
    rows = [new("tea", "a"), new("tea"), new("coffee", "b")]
    async with connections(database_url) as [fetch]:
        first, again = await send(fetch, rows), await send(fetch, rows)
        part = await send(fetch, [rows[2], new("tea", "c")])

    assert [[None] * 3, [None] * 3, [None] * 2] == [first, again, part]


@pytest.mark.parametrize("again", ["the same batch", "the same key"])
async def test_what_was_found_waits_for_the_standby(
    private_postgres: PostgresServer, again: str
) -> None:
    """A batch that adds nothing is not answered while a synchronous standby is away."""
    url = private_postgres.migrated_database()
    rows = [new("tea", "a")]
    waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    async with connections(url, 2) as [fetch, other]:
        await send(fetch, rows)
        async with standby_gone(url):
            sent = asyncio.ensure_future(
                send(other, rows if again == "the same batch" else [new("tea", "a")])
            )
            async with asyncio.timeout(20):
                while not await ask(url, waiting):
                    assert not sent.done(), await sent
            answered_early = sent.done()
        answers = await sent

    assert not answered_early
    assert [rows[0].id] == ids(answers, rows)


async def test_a_key_whose_order_is_gone_is_refused(database_url: str) -> None:
    """PostgreSQL commits both together: an order that is not there was deleted."""
    first, again = new("tea", "a"), new("tea", "a")
    async with connections(database_url) as [fetch]:
        await send(fetch, [first])
        await ask(database_url, "DELETE FROM orders")
        [answer] = await send(fetch, [again])

    assert isinstance(answer, OrderMissing)
    assert first.id not in str(answer), "it may be another caller's"


async def test_a_key_may_come_before_its_order_on_citus(database_url: str) -> None:
    """A database that is distributed may show the order later, so it is to be asked again."""
    await pretend_citus(database_url)
    first, again = new("tea", "a"), new("tea", "a")
    async with connections(database_url) as [fetch]:
        await send(fetch, [first])
        await ask(database_url, "DELETE FROM orders")
        theirs, own = await send(fetch, [again]), await send(fetch, [first])

    assert [[KeyWithoutOrder()]] * 2 == [theirs, own]


@pytest.mark.parametrize("table", ["orders", "order_keys"])
async def test_a_row_that_a_trigger_kept_out_is_not_stored(database_url: str, table: str) -> None:
    """Rows are counted, and those that are missing are read: nobody is told they are there."""
    await keep_out(database_url, table)
    async with connections(database_url) as [fetch]:
        answers = await send(fetch, [new("tea", "a"), new("tea")])

    assert isinstance(answers[0], Internal)
    assert (answers[1] is None) == (table == "order_keys")
