"""Answers that callers do not read.

The server keeps what a caller does not read for as long as the caller likes, even answers without
a body to requests that are still coming. So a connection with waiting answers is closed if nothing
is read for longer than a request may take, or at once if there is no memory for what the server
holds for it (`budget.py`).
"""

from time import perf_counter
from typing import TYPE_CHECKING, NamedTuple

from orders.http.budget import Held

if TYPE_CHECKING:
    from orders.http.budget import Budget


class _Waiting(NamedTuple):
    """A connection on which answers wait, as it was when the caller last read."""

    since: float
    read: int
    held: Held
    """The memory charged for it, once it was seen like that twice."""


class Unread:
    """Compares connections on which answers wait from one look to the next.

    Args:
        deadline: seconds that a request may take.
        budget: charged for the answers.
    """

    def __init__(self, deadline: float, budget: "Budget") -> None:
        self._deadline = deadline
        self._budget = budget
        self._waiting: dict[int, _Waiting] = {}
        self._before: dict[int, _Waiting] = {}

    def begin(self) -> None:
        """Begin a pass; connections that it does not see are forgotten."""
        self._before, self._waiting = self._waiting, {}

    def is_to_close(self, descriptor: int, read: int) -> bool:
        """Whether to close a connection; `read` is how many bytes its caller has taken."""
        now = perf_counter()
        before = self._before.pop(descriptor, None)
        if before is None:
            before = _Waiting(now, read, Held(self._budget))
        elif before.read != read:
            before.held.release()
            before = _Waiting(now, read, before.held)
        elif now - before.since > self._deadline or not (
            before.held.size or before.held.may_wait()
        ):
            before.held.release()
            return True
        self._waiting[descriptor] = before
        return False

    def end(self) -> None:
        """End a look; connections that it did not see are forgotten."""
        for gone in self._before.values():
            gone.held.release()
