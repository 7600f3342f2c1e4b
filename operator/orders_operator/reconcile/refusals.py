"""What was refused, so that the retries come ever later, and not at every event.

A refusal that comes at once costs nothing, so the next pass asks again, and the queue ensures that
there is one. A slow refusal, such as that of a webhook that does not answer, is repeated from
memory until a multiple of its duration has gone by: a pass that an event wakes does not wait for
the webhook again. Changed content is tried at once.
"""

from datetime import datetime, timedelta
from typing import Final

from msgspec import Struct

from orders_operator.objects import Object
from orders_operator.reconcile.apply_cache import digest, key
from orders_operator.reconcile.queue import backoff
from orders_operator.rollout.pods import Failure

_SLOW_SECONDS: Final = 1.0
_REST: Final = 3.0
"""For how many times its own duration a slow refusal is repeated from memory."""


class _Refusal(Struct, frozen=True):
    content: bytes
    failure: Failure
    until: datetime


class Refusals:
    """The objects of each OrderService, by its uid, that the API server has refused."""

    def __init__(self) -> None:
        self._slow: dict[str, dict[tuple[str, str], _Refusal]] = {}
        self._passes: dict[str, int] = {}

    def waiting(self, owner: str, wanted: Object, now: datetime) -> Failure | None:
        """Return the remembered refusal of an object that must not be tried yet; else None."""
        refusal = self._slow.get(owner, {}).get(key(wanted))
        if refusal is None or now >= refusal.until or refusal.content != digest(wanted):
            return None
        return refusal.failure

    def refused(
        self, owner: str, wanted: Object, failure: Failure, now: datetime, seconds: float
    ) -> None:
        """Remember a refusal that took this many seconds, if it was slow."""
        if seconds < _SLOW_SECONDS:
            self.accepted(owner, wanted)
            return
        until = now + timedelta(seconds=seconds * (1 + _REST))
        self._slow.setdefault(owner, {})[key(wanted)] = _Refusal(digest(wanted), failure, until)

    def accepted(self, owner: str, wanted: Object) -> None:
        """Forget a refusal."""
        self._slow.get(owner, {}).pop(key(wanted), None)

    def passed(self, owner: str, *, refused: bool) -> float | None:
        """Note that a pass ended; return the seconds until the next one should retry, or None."""
        if not refused:
            self.forget(owner)
            return None
        self._passes[owner] = self._passes.get(owner, 0) + 1
        return backoff(self._passes[owner])

    def forget(self, owner: str) -> None:
        """Forget an OrderService that is gone, or of which nothing is refused."""
        self._slow.pop(owner, None)
        self._passes.pop(owner, None)
