"""Decides whether this process still does its work; liveness reports the answer.

A watch can stall while everything else looks well: the connection stands, but no event comes. So
each fresh list is compared with what the watch delivered. If the newest state of a resource stays
unseen for half a minute, the watch is dead, and a restart is the cure. The pulses of the event
loops and the queue's workers count too.
"""

import time
from collections.abc import Callable, Mapping
from typing import Final

from orders_operator.objects import Key

UNSEEN_SECONDS: Final = 30.0
PULSE_SECONDS: Final = 30.0


class Watchdog:
    """Compares lists with what the watch delivered, and notes the pulses."""

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        *,
        unseen: float = UNSEEN_SECONDS,
        pulse: float = PULSE_SECONDS,
    ) -> None:
        """Start with nothing seen and no pulse expected.

        Args:
            clock: returns seconds; tests pass their own.
            unseen: how many seconds the watch may lag behind a list.
            pulse: how many seconds a loop may be silent.

        """
        self._clock = clock
        self._unseen = unseen
        self._pulse = pulse
        self._seen: dict[Key, str] = {}
        self._behind: dict[Key, tuple[str | None, float]] = {}
        self._beats: dict[str, float] = {}
        self._checks: dict[str, Callable[[], bool]] = {}

    def watched(self, key: Key, version: str) -> None:
        """Note that the watch delivered a resource."""
        self._seen[key] = version
        missing = self._behind.get(key)
        if missing is not None and missing[0] is not None and _reached(version, missing[0]):
            del self._behind[key]

    def gone(self, key: Key) -> None:
        """Note that the watch reported a resource as deleted."""
        self._seen.pop(key, None)
        self._behind.pop(key, None)

    def leave(self, namespace: str) -> None:
        """Expect no more events of a namespace that is no longer watched."""
        for key in [*self._seen, *self._behind]:
            if key[0] == namespace:
                self.gone(key)

    def listed(self, versions: Mapping[Key, str]) -> None:
        """Compare a list, resourceVersion by key, with what the watch delivered."""
        now = self._clock()
        for key, version in versions.items():
            if _reached(self._seen.get(key, ""), version):
                self._behind.pop(key, None)
            elif key not in self._behind or self._behind[key][0] is None:
                self._behind[key] = (version, now)
        for key in [*self._seen, *self._behind]:
            if key in versions:
                continue
            if key not in self._seen:  # it came and went between two lists
                self._behind.pop(key, None)
            elif key not in self._behind or self._behind[key][0] is not None:
                self._behind[key] = (None, now)

    def beat(self, name: str) -> None:
        """Note that a loop ran; from now on it is expected to."""
        self._beats[name] = self._clock()

    def retire(self, name: str) -> None:
        """Expect no more beats of a loop that was ended on purpose."""
        self._beats.pop(name, None)

    def require(self, name: str, check: Callable[[], bool]) -> None:
        """Require a check to stay true for as long as this process lives."""
        self._checks[name] = check

    def failure(self) -> str | None:
        """Return what is wrong, in a few words; None if nothing is."""
        now = self._clock()
        for name, at in self._beats.items():
            if now - at > self._pulse:
                return f"{name} has not run for {now - at:.0f} s"
        for name, check in self._checks.items():
            if not check():
                return f"{name} died"
        for (namespace, name), (_, since) in self._behind.items():
            if now - since > self._unseen:
                return f"the watch is {now - since:.0f} s behind on {namespace}/{name}"
        return None


def _reached(version: str, wanted: str) -> bool:
    """Whether a version is the wanted one or a later one.

    Versions of a resource of our kind are comparable as whole numbers (KEP-5504). On a server with
    other versions, only the same version counts.
    """
    if version == wanted:
        return True
    return version.isdigit() and wanted.isdigit() and int(version) >= int(wanted)
