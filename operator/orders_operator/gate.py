"""The gate before the reconciles: none begins where this process may not work.

When a namespace is left to another release, what is under way in it gets 3 s to end, and is then
cancelled, which is safe because it is repeatable.
"""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from orders_operator.objects import Key

ENDING_SECONDS: Final = 3.0


class Gate:
    """Reconciles by key, in namespaces where this process may work."""

    def __init__(
        self,
        reconcile: Callable[[Key], Awaitable[float | None]],
        works: Callable[[str], bool],
    ) -> None:
        """Keep the collaborators.

        Args:
            reconcile: one reconcile; its result is returned.
            works: whether this process works in a namespace now.

        """
        self._reconcile = reconcile
        self._works = works
        self._under_way: dict[Key, asyncio.Future[float | None]] = {}

    async def __call__(self, key: Key) -> float | None:
        """Reconcile; return None if this process may not, or if the work was cancelled."""
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
        """The namespaces in which a reconcile is under way."""
        return {namespace for namespace, _ in self._under_way}

    async def end(self, namespace: str) -> None:
        """End the reconciles of a namespace: wait 3 s for them, then cancel the rest."""
        tasks = [task for key, task in self._under_way.items() if key[0] == namespace]
        if not tasks:
            return
        _, late = await asyncio.wait(tasks, timeout=ENDING_SECONDS)
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
