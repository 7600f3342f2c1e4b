"""Attempts to connect, which the driver goes on with when nobody waits for them any more."""

import asyncio
from collections.abc import Coroutine
from typing import Any

from orders.store.session import Session


async def within(
    seconds: float,
    attempt: Coroutine[Any, Any, Session],
    leaving: "set[asyncio.Future[Any]]",
) -> Session:
    """Return the session that an attempt makes in time.

    Args:
        seconds: after which it is given up.
        attempt: makes the session; once given up it goes on, and what it makes is closed.
        leaving: has one that was given up as long as it goes on, for it has a socket.

    Raises:
        TimeoutError: it was given up.

    """
    task = asyncio.ensure_future(attempt)
    try:
        async with asyncio.timeout(seconds):
            return await asyncio.shield(task)
    finally:
        if not task.done():
            leaving.add(task)
            task.add_done_callback(leaving.discard)
            task.add_done_callback(_close)


def _close(task: asyncio.Task[Session]) -> None:
    if not task.cancelled() and task.exception() is None:
        task.result().close()
