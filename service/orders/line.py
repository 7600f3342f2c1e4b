"""Those who wait for a batch, in the order of their deadlines.

Most come in that order: a request that is read at once has the latest deadline of all. One whose
body took long, and those whose batch was lost, have their place further ahead.
"""

import heapq
from bisect import bisect_right
from collections import deque
from collections.abc import Iterable
from operator import attrgetter
from typing import Final

from orders.batch import Waiter, expire

_deadline: Final = attrgetter("deadline")


class Line:
    """Waiters for a batch; those that wait no more leave it by themselves."""

    def __init__(self) -> None:
        """Have nobody wait."""
        self._waiters: deque[Waiter] = deque()

    def __len__(self) -> int:
        """Return how many wait; some may wait no more."""
        return len(self._waiters)

    def add(self, waiter: Waiter) -> None:
        """Have one more wait."""
        waiters = self._waiters
        if waiters and waiter.deadline < waiters[-1].deadline:
            waiters.insert(bisect_right(waiters, waiter.deadline, key=_deadline), waiter)
        else:
            waiters.append(waiter)

    def put_back(self, waiters: Iterable[Waiter]) -> None:
        """Have some wait again, who are in the order of their deadlines too."""
        self._waiters = deque(heapq.merge(waiters, self._waiters, key=_deadline))

    def take(self, limit: int) -> list[Waiter]:
        """Remove the first, without those that wait no more; return at most so many."""
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
