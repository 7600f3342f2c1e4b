"""What blocks writes while reads go on, learnt from the writes themselves.

A write that waits is looked up at the server. After a refused write a trial asks the server, in
which PL/pgSQL shows the SQLSTATE that the driver hides. The next write that works clears the
reason, and so does a trial that works. Only a commit waits for a standby, so for that reason the
trial is a commit.
"""

import asyncio
import contextlib
import logging
import math
from collections.abc import Awaitable, Callable, Coroutine, Mapping
from typing import Any, Final

from orders.columns import Column
from orders.errors import Unavailable
from orders.model import COLUMNS
from orders.store.backends import Activity, Backends
from orders.store.migration_sql import literal

STANDBY: Final = "standby"
LOCK: Final = "lock"
PRIVILEGE: Final = "privilege"
DISK: Final = "disk"
OTHER: Final = "other"

REASONS: Final = {
    STANDBY: "no synchronous standby confirms them",
    LOCK: "another session holds a lock",
    PRIVILEGE: "the role lacks a privilege",
    DISK: "the server's disk is full",
    OTHER: "the database refuses them",
}
"""Every reason, as the metric's label and in words."""

_ANSWER: Final = "trial of a write: "
_WORKS: Final = "00000"
_BY_STATE: Final = {"42501": PRIVILEGE, "53100": DISK, "55P03": LOCK, "57014": LOCK}


def _largest(column: Column) -> str:
    """Return SQL for the largest value of a column, or an example if that is not known."""
    example = literal(str(column.example))
    meta = column.meta
    if column.kind is str and meta.max_length and not meta.pattern:
        return f"rpad({example}, {meta.max_length}, {example})"
    return f"{example}::{column.type}"


# It always ends in an error, so that nothing of it stays.
_TRIAL: Final = f"""
DO $trial$
BEGIN
    PERFORM set_config('lock_timeout', '100ms', true);
    BEGIN
        INSERT INTO orders (id, {", ".join(column.quoted for column in COLUMNS)}, created_at)
        VALUES (gen_random_uuid(), {", ".join(map(_largest, COLUMNS))}, now());
        INSERT INTO order_keys (key, ids)
        VALUES (gen_random_uuid()::text, ARRAY[gen_random_uuid()]);
    EXCEPTION WHEN OTHERS OR query_canceled THEN
        RAISE EXCEPTION 'trial of a write: %', SQLSTATE;
    END;
    RAISE EXCEPTION 'trial of a write: 00000';
END
$trial$
"""  # noqa: S608  of columns and examples, from the model
_PAUSE: Final = 1.0

log = logging.getLogger("orders.store")


class Writes:
    """Whether writes are blocked, and by what."""

    def __init__(self, backends: Backends, *, quiet: float) -> None:
        """Start as if they worked.

        Args:
            backends: asks the server.
            quiet: seconds without news of a missing standby, after which to try a commit.

        """
        self._backends = backends
        self._quiet = quiet
        self._heard_at = -math.inf
        self._commit: Callable[[], Awaitable[None]] | None = None
        self._trial: asyncio.Task[None] | None = None
        self._asked_at = -_PAUSE
        self.reason: str | None = None
        self.doubted = False
        """Whether a write that works changes what is known."""

    def try_by(self, commit: Callable[[], Awaitable[None]]) -> None:
        """Keep the function that tries a commit; it raises Unavailable if that is not in time."""
        self._commit = commit

    def why(self) -> str | None:
        """Return in words what blocks writes; None if nothing does."""
        return None if self.reason is None else REASONS[self.reason]

    def by_reason(self) -> Mapping[str, int]:
        """Return 1 for the reason that blocks writes, and 0 for every other reason."""
        return {reason: int(reason == self.reason) for reason in REASONS}

    def worked(self) -> None:
        """Note that a write was committed."""
        if self._trial is not None:
            self._trial.cancel()
        self._set(None)

    def waits(self, activity: Activity) -> None:
        """Note what a write waits for that has been in flight for long.

        While a standby is missing a lock says nothing: a write that waits for it locks its key.
        """
        if activity.wait == "SyncRep":
            self._heard_at = asyncio.get_running_loop().time()
            self._set(STANDBY)
        elif activity.wait_type == "Lock" and self.reason != STANDBY:
            self._set(LOCK)

    def look_again(self) -> None:
        """Find out in the background whether writes are still blocked.

        While a standby is missing, writes show it; a commit is tried only if nobody writes.
        """
        if self.reason == STANDBY:
            now = asyncio.get_running_loop().time()
            if self._trial is None and now - self._heard_at >= self._quiet:
                self._start(self._try_commit())
        elif self.reason is not None:
            self.refused()

    def refused(self) -> None:
        """Find out in the background, once a second, why a write was refused."""
        loop = asyncio.get_running_loop()
        if self._trial is None and loop.time() - self._asked_at >= _PAUSE:
            self._asked_at = loop.time()
            self.doubted = True
            self._start(self._try())

    def _start(self, trial: Coroutine[Any, Any, None]) -> None:
        self._trial = asyncio.get_running_loop().create_task(trial)
        self._trial.add_done_callback(self._tried)

    async def _try_commit(self) -> None:
        """Try a commit; if it works, the lane reports that as for any write."""
        if self._commit is not None:
            with contextlib.suppress(Unavailable):
                await self._commit()

    async def _try(self) -> None:
        state = await self._backends.refusal(_TRIAL)
        if state is None or _ANSWER not in state:
            return
        state = state.rpartition(_ANSWER)[2][: len(_WORKS)]
        if state != _WORKS:
            self._set(_BY_STATE.get(state, OTHER))
        elif self.reason != STANDBY:
            self._set(None)

    def _tried(self, _: object) -> None:
        self._trial = None
        self.doubted = self.reason is not None

    def _set(self, reason: str | None) -> None:
        self.doubted = reason is not None
        if reason != self.reason:
            self.reason = reason
            if reason is None:
                log.info("writes work again")
            else:
                log.warning("writes are blocked: %s", REASONS[reason])
