"""The analysis windows of rollouts: where each began, and its verdict when it ends.

The start of a window is kept only in memory: another replica of the operator begins a new window.
The last verdict is in `status.rollout.analysis`.
"""

import time
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime
from math import inf
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from orders_operator.api.fields import seconds
from orders_operator.api.rollout import Analysis
from orders_operator.api.status import AnalysisStatus, Measured
from orders_operator.objects import Key
from orders_operator.rollout.judge import Verdict, judge
from orders_operator.rollout.measure import (
    Added,
    Compared,
    Ends,
    Readings,
    Unmeasured,
    begin,
    go_on,
    measure,
    settled,
)
from orders_operator.rollout.prometheus import ReadingError, ask
from orders_operator.rollout.reading import scrape
from orders_operator.rollout.situation import stamp
from orders_operator.rollout.windows import Counts, total

_SCRAPED_SECONDS: Final = 5.0
"""When to check again whether Prometheus has scraped the pods since they began to serve."""


class _Window(Struct):
    """A window: when it was opened, its first readings if it has any, and when to judge it.

    `since` is Prometheus' own time when the window was opened: earlier scrapes do not count.
    """

    mark: tuple[str, str]
    opened: float
    due: float
    since: float | None = None
    began: Ends | None = None


class Windows:
    """The current window of each OrderService whose rollout is analysed."""

    def __init__(
        self, now: Callable[[], datetime], clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._now = now
        self._clock = clock
        self._open: dict[Key, _Window] = {}

    def forget(self, key: Key) -> None:
        """Drop the window of a resource that is gone or has nothing to analyse."""
        self._open.pop(key, None)

    def left(self, key: Key) -> float | None:
        """Return the seconds until the window should be judged; None without a window."""
        window = self._open.get(key)
        return None if window is None else max(0.0, window.due - self._clock())

    async def judge(
        self, key: Key, analysis: Analysis, compared: Compared, credential: str | None = None
    ) -> AnalysisStatus | None:
        """Begin a window, or return the verdict of the one that ends now; None in between.

        A window that cannot be judged yet continues for another interval.

        Args:
            key: the namespace and name of the OrderService.
            analysis: the thresholds and the interval.
            compared: the pods to judge, and those to compare them with.
            credential: the API key for pods that require one for their metrics.

        """
        window = self._open.get(key)
        if window is not None and window.mark != compared.mark:
            window = None
        if window is not None and self.left(key):
            return None
        at = self._clock()
        if window is None:
            window = self._open[key] = _Window(compared.mark, at, at)
        window.due = at + seconds(analysis.interval)
        said = await self._judge(
            lambda: _read(key, analysis, compared, credential), analysis, compared, window, at
        )
        return None if said is None else replace(said, stage=compared.stage)

    async def _judge(
        self,
        read: Callable[[], Awaitable[Readings]],
        analysis: Analysis,
        compared: Compared,
        window: _Window,
        at: float,
    ) -> AnalysisStatus | None:
        """Read the pods' counters, and return the window's verdict if it ends here."""
        interval = seconds(analysis.interval)
        try:
            readings = await read()
        except ReadingError as error:
            return self._inconclusive(Unmeasured(str(error)))
        if window.began is None:
            return self._begin(window, compared, readings, at, interval)
        added = measure(window.began, compared, readings)
        if isinstance(added, Unmeasured):
            if not added.goes_on:
                window.began, window.opened, window.since = None, at, None
                self._begin(window, compared, readings, at, interval)
            return self._inconclusive(added)
        judged, beside = total(added.judged.values()), total(added.beside.values())
        verdict, length = judge(analysis, judged, beside), at - window.opened
        if verdict.few:
            window.began = go_on(window.began, compared, readings)
        else:  # the next one begins where this one ends
            began = begin(compared, readings)
            window.began = None if isinstance(began, Unmeasured) else began
            window.opened, window.since = at, None
        return self._said(verdict, length, added)

    def _begin(
        self, window: _Window, compared: Compared, readings: Readings, at: float, interval: float
    ) -> AnalysisStatus | None:
        """Begin once Prometheus has scraped every pod since it began to serve.

        Wait no longer than one interval for that.
        """
        if window.since is None:
            window.since = readings.now
        waited = at - window.opened
        if not settled(compared, readings, window.since) and readings.now and waited < interval:
            window.due = at + min(_SCRAPED_SECONDS, interval - waited)
            return None
        began = begin(compared, readings, window.since)
        if isinstance(began, Unmeasured):
            return self._inconclusive(began)
        window.began, window.opened = began, at
        return None

    def _inconclusive(self, unmeasured: Unmeasured) -> AnalysisStatus:
        return self._said(Verdict("Inconclusive", unmeasured.why), 0.0, None)

    def _said(self, verdict: Verdict, length: float, added: Added | None) -> AnalysisStatus:
        return AnalysisStatus(
            verdict=verdict.word,
            message=verdict.message,
            at=stamp(self._now()),
            window_seconds=round(length, 1),
            canary=None if added is None else _measured(added.judged),
            stable=None if added is None else _measured(added.beside),
        )


async def _read(
    key: Key, analysis: Analysis, compared: Compared, credential: str | None
) -> Readings:
    """Return what each pod has counted since its start, from Prometheus if one is declared.

    Raises:
        ReadingError: Prometheus cannot be queried.

    """
    if analysis.prometheus is None:
        return await scrape(compared.pods, credential)
    return await ask(analysis.prometheus.url, key[0], compared.pods)


def _measured(parts: Mapping[str, Counts]) -> Measured:
    counts = total(parts.values())
    p99 = counts.p99
    return Measured(
        pods=len(parts),
        requests=round(counts.requests),
        errors=round(counts.errors),
        error_ratio=round(counts.error_ratio, 6),
        p99_milliseconds=None if p99 is None or p99 == inf else round(1000 * p99, 3),
    )
