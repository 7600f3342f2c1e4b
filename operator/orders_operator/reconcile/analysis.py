"""The windows of canaries: where each began, and what it says when it ends.

Where a window began is kept in memory alone: another replica of the operator begins a new one.
What the windows said is in `status.rollout.analysis`.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from msgspec import Struct

from orders_operator.api.fields import seconds
from orders_operator.api.rollout import Analysis
from orders_operator.api.status import AnalysisStatus, Measured
from orders_operator.rollout.judge import Verdict, judge
from orders_operator.rollout.reading import ReadingError, ask, scrape
from orders_operator.rollout.situation import stamp
from orders_operator.rollout.windows import Counts, total

Object = dict[str, Any]
Key = tuple[str, str]
"""Namespace and name."""


class Compared(Struct, frozen=True):
    """The pods of both tracks, and the step that they are in."""

    revision: str
    step: int
    canary: Sequence[Object]
    stable: Sequence[Object]


class _Window(Struct):
    """Where a window began: when, and what each pod had counted."""

    revision: str
    step: int
    began: float
    looked: float
    counts: dict[str, Counts]


class Windows:
    """The window of each OrderService that has a canary."""

    def __init__(
        self, now: Callable[[], datetime], clock: Callable[[], float] = time.monotonic
    ) -> None:
        """Start with none."""
        self._now = now
        self._clock = clock
        self._open: dict[Key, _Window] = {}

    def forget(self, key: Key) -> None:
        """Drop the window of a resource that has no canary, or is gone."""
        self._open.pop(key, None)

    def left(self, key: Key, analysis: Analysis) -> float | None:
        """Return the seconds until the window is to be looked at."""
        found = self._open.get(key)
        if found is None:
            return None
        return max(0.0, found.looked + seconds(analysis.interval) - self._clock())

    async def look(
        self, key: Key, analysis: Analysis, compared: Compared
    ) -> AnalysisStatus | None:
        """Begin a window, or say what came of the one that ends now; None in between.

        One with too few requests goes on, and is looked at again after another interval.
        """
        window = self._open.get(key)
        mark = (compared.revision, compared.step)
        if window is not None and (window.revision, window.step) != mark:
            window = None
        left = None if window is None else self.left(key, analysis)
        if left:
            return None
        began = self._clock()
        try:
            ended = await self._read(key, analysis, compared, window)
        except ReadingError as error:
            if window is None:
                self._open[key] = _Window(*mark, began, began, {})
            else:
                window.looked = began
            return self._said(Verdict("Inconclusive", str(error)), 0.0, None, None)
        if window is None:
            self._open[key] = _Window(*mark, began, began, ended)
            return None
        added = _added(analysis, window.counts, ended)
        canary, stable = (_of(added, pods) for pods in (compared.canary, compared.stable))
        verdict = judge(analysis, total(canary.values()), total(stable.values()))
        length = began - window.began
        if verdict.few and added:
            kept = {uid: window.counts.get(uid, ended[uid]) for uid in added}
            self._open[key] = _Window(*mark, window.began, began, ended | kept)
        else:
            self._open[key] = _Window(*mark, began, began, ended)
        return self._said(verdict, length, canary, stable)

    async def _read(
        self, key: Key, analysis: Analysis, compared: Compared, window: _Window | None
    ) -> dict[str, Counts]:
        """Return what each pod has counted: since its start, or as Prometheus in the window.

        Raises:
            ReadingError: it cannot be had, or at the end of a window not of the stable pods.

        """
        pods = [*compared.canary, *compared.stable]
        if analysis.prometheus is None:
            found = await scrape(pods)
            unread = compared.stable and not _of(found, compared.stable)
            if window is not None and unread:
                raise ReadingError("The metrics of no stable pod can be read.")
            return found
        if window is None:
            return {}
        length = self._clock() - window.began
        return dict(await ask(analysis.prometheus.url, key[0], pods, length))

    def _said(
        self,
        verdict: Verdict,
        length: float,
        canary: Mapping[str, Counts] | None,
        stable: Mapping[str, Counts] | None,
    ) -> AnalysisStatus:
        return AnalysisStatus(
            verdict=verdict.word,
            message=verdict.message,
            at=stamp(self._now()),
            window_seconds=round(length, 1),
            canary=None if canary is None else _measured(canary),
            stable=None if stable is None else _measured(stable),
        )


def _added(
    analysis: Analysis, before: Mapping[str, Counts], after: Mapping[str, Counts]
) -> dict[str, Counts]:
    """Return what each pod counted in the window; a Prometheus says just that."""
    if analysis.prometheus is not None:
        return dict(after)
    found = {}
    for uid, counted in after.items():
        added = counted.since(before[uid]) if uid in before else None
        if added is not None:
            found[uid] = added
    return found


def _of(added: Mapping[str, Counts], pods: Sequence[Object]) -> dict[str, Counts]:
    uids = [pod["metadata"]["uid"] for pod in pods]
    return {uid: added[uid] for uid in uids if uid in added}


def _measured(parts: Mapping[str, Counts]) -> Measured:
    found = total(parts.values())
    p99 = found.p99
    return Measured(
        pods=len(parts),
        requests=round(found.requests),
        errors=round(found.errors),
        error_ratio=round(found.error_ratio, 6),
        p99_milliseconds=None if p99 is None else round(1000 * p99, 3),
    )
