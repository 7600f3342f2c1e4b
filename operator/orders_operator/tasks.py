"""Runs pieces of work at the same time, and leaves none of them behind."""

import asyncio
from collections.abc import Coroutine
from typing import Any


async def first(*work: Coroutine[Any, Any, Any], seconds: float | None = None) -> None:
    """Return when one of them ends, or after so many seconds, and cancel the others.

    If the one that ended raised an exception, raise it.
    """
    tasks = [asyncio.ensure_future(awaitable) for awaitable in work]
    try:
        done, _ = await asyncio.wait(tasks, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def together(*work: Coroutine[Any, Any, Any]) -> list[Any]:
    """Return their results, or raise the exception of the first one to fail.

    Then the others are cancelled, and have ended: whoever closes what they use need not wait.
    """
    tasks = [asyncio.ensure_future(awaitable) for awaitable in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
