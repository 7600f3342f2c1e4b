"""The queue of waiters for a batch, in the order of their deadlines.

Most arrive in that order: a request that is read at once has the latest deadline of all. A request
whose body took long, and calls whose batch was lost, go further ahead.
"""

import heapq
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from operator import attrgetter
from typing import Final

from orders.batch import Waiter, expire

_deadline: Final = attrgetter("deadline")


class DeadlineQueue:
    """Waiters for a batch; `take` and `expire` drop those that no longer wait."""

    def __init__(self) -> None:
        self._waiters: deque[Waiter] = deque()

    def __len__(self) -> int:
        """Return how many are queued; some of them may no longer wait."""
        return len(self._waiters)

    def add(self, waiter: Waiter) -> None:
        """Queue a waiter at the place of its deadline."""
        waiters = self._waiters
        if waiters and waiter.deadline < waiters[-1].deadline:
            waiters.insert(bisect_right(waiters, waiter.deadline, key=_deadline), waiter)
        else:
            waiters.append(waiter)

    def put_back(self, waiters: Iterable[Waiter]) -> None:
        """Queue waiters again, which are in the order of their deadlines too."""
        self._waiters = deque(heapq.merge(waiters, self._waiters, key=_deadline))

    def take(self, limit: int) -> list[Waiter]:
        """Remove and return the first `limit` waiters, dropping those that no longer wait."""
        waiters = self._waiters
        taken: list[Waiter] = []
        while waiters and len(taken) < limit:
            waiter = waiters.popleft()
            if not waiter.done:
                taken.append(waiter)
        return taken

    def expire(self, now: float) -> float | None:
        """Fail those whose deadline has passed; return the next deadline, None without one."""
        due = expire(self._waiters, now)
        while self._waiters and self._waiters[0].done:
            self._waiters.popleft()
        return due
