"""The gate before the reconciles: none begins where this process may not work.

A namespace that is left to another release is left for good: what is under way in it has a moment
to end, and is then cut off, which is safe because it is repeatable.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from orders_operator.objects import Key

ENDING_SECONDS: Final = 3.0


class Gate:
    """Reconciles by key, where that is allowed."""

    def __init__(
        self,
        reconcile: Callable[[Key], Awaitable[float | None]],
        works: Callable[[str], bool],
    ) -> None:
        """Keep what is done, and where.

        Args:
            reconcile: one reconcile; what it returns is returned.
            works: whether this process works in a namespace now.

        """
        self._reconcile = reconcile
        self._works = works
        self._under_way: dict[Key, asyncio.Future[float | None]] = {}

    async def __call__(self, key: Key) -> float | None:
        """Reconcile, unless it is not for this process to do; None when it was cut off as well."""
        if not self._works(key[0]):
            return None
        task = self._under_way[key] = asyncio.ensure_future(self._reconcile(key))
        try:
            return await task
        except asyncio.CancelledError:
            current = asyncio.current_task()
            if current is not None and current.cancelling():
                raise
            return None
        finally:
            del self._under_way[key]

    @property
    def namespaces(self) -> set[str]:
        """Where something is under way."""
        return {namespace for namespace, _ in self._under_way}

    async def end(self, namespace: str) -> None:
        """Return when nothing is under way in a namespace."""
        tasks = [task for key, task in self._under_way.items() if key[0] == namespace]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=ENDING_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
