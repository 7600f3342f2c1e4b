"""A synchronous standby that is away: no commit that wrote something returns."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from psqlpy.exceptions import Error as DriverError

from tests.helpers.migration_files import ask

_NAME = "ALTER SYSTEM SET synchronous_standby_names = "
_RELOAD = "SELECT pg_reload_conf()"
_WRITE = "SELECT pg_logical_emit_message(true, 'tests', 'does this wait?')"
_WAITS = (
    "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
    " WHERE wait_event = 'SyncRep' AND query LIKE '%does this wait?%'"
    " AND pid <> pg_backend_pid()"
)


@asynccontextmanager
async def standby_gone(url: str) -> AsyncIterator[None]:
    """Have the server of a database wait for a standby that is not there, until the end.

    A reload reaches the server's processes one by one, so a commit of the test's own has to wait
    before anything is tried.
    """
    await ask(url, f"{_NAME}'nobody'")
    await ask(url, _RELOAD)
    try:
        async with asyncio.timeout(20):
            await _commits_wait(url)
        yield
    finally:
        await ask(url, f"{_NAME}''")
        await ask(url, _RELOAD)


async def _commits_wait(url: str) -> None:
    """Return when a commit waits, and end it."""
    while True:
        commit = asyncio.ensure_future(ask(url, _WRITE))
        while not commit.done():
            if await ask(url, _WAITS):
                with suppress(DriverError):
                    await commit
                return
        await commit
