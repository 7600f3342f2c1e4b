"""`orders purge`: deletes the orders that are older than a time, and their Idempotency-Keys.

Ids are in the order of time, so a batch is a range of ids, with one commit for its keys and one
for its orders. The keys go first: however a run ends, no key is left whose orders are all gone.
Only the data show how far a run came; the next run begins at the oldest order that is left. After
each batch the run rests for a multiple of the time that the batch took, so that a busy database
slows the run down, and not the other way round.
"""

import asyncio
import contextlib
import logging
from collections.abc import AsyncGenerator
from datetime import datetime
from time import perf_counter
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from orders.store.backoff import Backoff
from orders.store.connector import CannotConnect, Connector
from orders.store.migrations import MAY_PASS
from orders.store.schema import REQUIRED_VERSION, Fetch, schema_version
from orders.store.session import SessionLost, StatementRefused
from orders.uuid7 import FIRST_ID, first_id, time_of

if TYPE_CHECKING:
    from orders.config import Config, Database

BATCH: Final = 1_000
"""The most orders, or keys, in one batch."""
SHARE: Final = 0.05
"""Share of the time for which a run that deletes is at work, by default."""

_STATEMENT_TIMEOUT: Final = 60.0
_TELL_EVERY: Final = 10.0
"""Seconds between lines of progress."""

_NTH_ORDER: Final = """
SELECT id FROM orders WHERE id >= $1::text::uuid AND id < $2::text::uuid
ORDER BY id OFFSET $3::int LIMIT 1
"""
_NTH_KEY: Final = """
SELECT ids[cardinality(ids)] FROM order_keys
WHERE ids[cardinality(ids)] >= $1::text::uuid AND ids[cardinality(ids)] < $2::text::uuid
ORDER BY ids[cardinality(ids)] OFFSET $3::int LIMIT 1
"""

# `created_at` is the time in the id, unless something else made the row.
_COUNT_ORDERS: Final = """
SELECT count(*) FROM orders
WHERE id >= $1::text::uuid AND id < $2::text::uuid AND created_at < $3::timestamptz
"""
_DELETE_ORDERS: Final = """
WITH gone AS (
    DELETE FROM orders
    WHERE id >= $1::text::uuid AND id < $2::text::uuid AND created_at < $3::timestamptz
    RETURNING id
)
SELECT count(*) FROM gone
"""
_COUNT_KEYS: Final = """
SELECT count(*) FROM order_keys
WHERE ids[cardinality(ids)] >= $1::text::uuid AND ids[cardinality(ids)] < $2::text::uuid
"""
_DELETE_KEYS: Final = """
WITH gone AS (
    DELETE FROM order_keys
    WHERE ids[cardinality(ids)] >= $1::text::uuid AND ids[cardinality(ids)] < $2::text::uuid
    RETURNING key
)
SELECT count(*) FROM gone
"""

log = logging.getLogger("orders.purge")


class PurgeError(Exception):
    """A run ended early; the message says why. What it has deleted stays deleted."""

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        """Keep the message, and the exit code: 1, or MAY_PASS."""
        super().__init__(message)
        self.exit_code = exit_code


class Purged(Struct):
    """How many orders and keys were older; with `deleted`, they are gone."""

    orders: int = 0
    keys: int = 0
    deleted: bool = False

    def __str__(self) -> str:
        """Return the counts in words."""
        orders = "order" if self.orders == 1 else "orders"
        keys = "key" if self.keys == 1 else "keys"
        return f"{self.orders} {orders} and {self.keys} idempotency {keys}"


def main(config: "Config", before: datetime, *, delete: bool, share: float, wait: float) -> int:
    """Run the command and return its exit code; log what it does.

    Returns:
        0 when it is done, 1 when the database refused, 75 when the database did not answer.

    """
    database = config.needed_database()
    at = before.isoformat()
    try:
        purged = asyncio.run(purge(database, before, delete=delete, share=share, wait=wait))
    except PurgeError as error:
        log.error("%s", error)  # noqa: TRY400  the message is the whole of it
        return error.exit_code
    if delete:
        log.info("deleted, older than %s: %s", at, purged)
    else:
        log.info("older than %s: %s; add --delete to delete them", at, purged)
    return 0


async def purge(
    database: "Database",
    before: datetime,
    *,
    delete: bool = False,
    share: float = SHARE,
    wait: float = 0.0,
) -> Purged:
    """Delete what is older than a time, or count it.

    Args:
        database: the database.
        before: orders created then or later stay; so do keys that have one of them.
        delete: whether to delete; False only counts.
        share: of the time, for which it is at work while it deletes; 1 never rests.
        wait: seconds to go on trying each time the database does not answer.

    Raises:
        PurgeError: the database refused, or did not answer for `wait` seconds.

    """
    walk = _Walk(before, Purged(deleted=delete))
    connector = Connector(database, statement_timeout=_STATEMENT_TIMEOUT)
    now = asyncio.get_running_loop().time
    backoff = Backoff()
    backoff.pause()  # the first try had none
    give_up_at = now() + wait
    while True:
        try:
            async with contextlib.aclosing(_steps(walk, connector)) as steps:
                async for seconds in steps:
                    if delete:
                        await asyncio.sleep(seconds * (1 / share - 1))
                    backoff.reset()
                    give_up_at = now() + wait
        except (CannotConnect, SessionLost) as error:
            obstacle = f"no connection to {connector.where}: {error}"
        except StatementRefused as error:
            raise PurgeError(f"the database refused: {error}; {walk.so_far()}") from None
        else:
            return walk.purged
        if (left := give_up_at - now()) <= 0:
            raise PurgeError(f"{obstacle}; {walk.so_far()}", exit_code=MAY_PASS)
        log.info("%s; trying again for up to %.0f s", obstacle, left)
        await asyncio.sleep(min(backoff.pause(), left))


async def _steps(walk: "_Walk", connector: Connector) -> AsyncGenerator[float, None]:
    """Walk to the end on one connection; yield the seconds of each batch but the last."""
    session = await connector.connect()
    try:
        version = await schema_version(session.fetch)
        if version < REQUIRED_VERSION:
            raise PurgeError(
                f"the schema is at version {version}, and this release needs {REQUIRED_VERSION}:"
                " run `orders migrate` first"
            )
        started = perf_counter()
        while await walk.step(session.fetch):
            yield perf_counter() - started
            started = perf_counter()
    finally:
        session.close()


class _Walk:
    """The way up the ids, batch by batch."""

    def __init__(self, before: datetime, purged: Purged) -> None:
        self.purged = purged
        self._before = before
        self._from = FIRST_ID
        self._end = first_id(before)
        self._statements = (
            (_DELETE_KEYS, _DELETE_ORDERS) if purged.deleted else (_COUNT_KEYS, _COUNT_ORDERS)
        )
        self._told_at = asyncio.get_running_loop().time()

    async def step(self, fetch: Fetch) -> bool:
        """Do one batch; return whether there may be another one."""
        rest = [self._from, self._end]
        ends = [await fetch(nth, [*rest, BATCH]) for nth in (_NTH_ORDER, _NTH_KEY)]
        end = min([rows[0][0] for rows in ends if rows], default=self._end)
        keys, orders = self._statements
        [(number,)] = await fetch(keys, [self._from, end])
        self.purged.keys += number
        [(number,)] = await fetch(orders, [self._from, end, self._before])
        self.purged.orders += number
        self._from = end
        self._tell()
        return end < self._end

    def _tell(self) -> None:
        now = asyncio.get_running_loop().time()
        if now - self._told_at >= _TELL_EVERY:
            self._told_at = now
            log.info("%s", self.so_far())

    def so_far(self) -> str:
        """Return in words how far the run has come."""
        verb = "deleted" if self.purged.deleted else "counted"
        if self._from == FIRST_ID:
            return f"{verb} nothing so far"
        at = time_of(self._from).isoformat(timespec="seconds")
        return f"{verb} {self.purged} so far, all from before {at}"
