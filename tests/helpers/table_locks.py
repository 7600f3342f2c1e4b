"""Locks of other sessions, which keep writes out."""

import contextlib
from collections.abc import AsyncIterator

import psqlpy


@contextlib.asynccontextmanager
async def table_locked(url: str) -> AsyncIterator[None]:
    """Have another session hold a lock that keeps writes out."""
    connection = await psqlpy.connect(dsn=url)
    await connection.execute("BEGIN", prepared=False)
    await connection.execute("LOCK TABLE orders IN EXCLUSIVE MODE", prepared=False)
    try:
        yield
    finally:
        await connection.execute("ROLLBACK", prepared=False)
        connection.close()
