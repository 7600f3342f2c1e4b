"""Passes calls from the server's threads to the loop, with one wake-up for many."""

import asyncio
import logging
from collections import deque
from collections.abc import Callable
from contextvars import Context
from typing import Any

log = logging.getLogger("orders.http")


class Inbox:
    """The calls to make; Granian's futures take it for the loop, so bodies come the same way."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._calls: deque[tuple[Callable[[Any], None], Any]] = deque()
        self._woken = False
        self._context = Context()  # without a trace

    def put(self, function: Callable[[Any], None], argument: Any) -> None:
        """Call a function in the loop; usable from any thread."""
        self._calls.append((function, argument))
        if not self._woken:
            self._woken = True
            self._loop.call_soon_threadsafe(self._empty, context=self._context)

    def call_soon_threadsafe(
        self, callback: Callable[[Any], None], future: Any, *, context: object = None
    ) -> None:
        """Call a future's callback in the loop; `context` is None, or the caller's."""
        del context
        self.put(callback, future)

    call_soon = call_soon_threadsafe

    def _empty(self) -> None:
        self._woken = False  # a later `put` wakes the loop again
        calls = self._calls
        for _ in range(len(calls)):
            function, argument = calls.popleft()
            try:
                function(argument)
            except Exception:
                log.exception("a request failed")
