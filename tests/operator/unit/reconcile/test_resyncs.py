"""When resources are looked at again though nothing happened, in virtual time."""

import asyncio
import itertools
from random import Random

import pytest

from orders_operator.reconcile.resyncs import JITTER, Resyncs

pytestmark = pytest.mark.looptime

INTERVAL = 300.0
KEYS = range(1000)


async def test_resyncs_are_spread_over_the_interval() -> None:
    """Though all were looked at just now, no tenth of the interval has more than its share."""
    resyncs: Resyncs[int] = Resyncs(INTERVAL, Random(1).random)  # noqa: S311  no secret
    waits = [resyncs.after(key) for key in KEYS]
    tenths = [0] * 11
    for wait in waits:
        tenths[int(wait // (INTERVAL / 10))] += 1
    assert max(waits) <= INTERVAL * (1 + JITTER)
    assert max(tenths) < 1.5 * len(KEYS) / 10


async def test_each_has_its_time_again_and_again() -> None:
    """A resync comes an interval after the one before, at most a little late, and never twice."""
    resyncs: Resyncs[str] = Resyncs(INTERVAL, Random(2).random)  # noqa: S311  no secret
    now = asyncio.get_running_loop().time
    times = []
    for _ in range(50):
        await asyncio.sleep(resyncs.after("shop"))
        times.append(now())
    gaps = [after - before for before, after in itertools.pairwise(times)]
    assert (1 - JITTER) * INTERVAL <= min(gaps)
    assert max(gaps) <= (1 + JITTER) * INTERVAL
    assert len(gaps) == len(set(gaps))


async def test_events_do_not_have_all_keep_step() -> None:
    """What was looked at together in between is not looked at together at the next resync."""
    resyncs: Resyncs[int] = Resyncs(INTERVAL, lambda: 0.5)
    resyncs.after(1)
    await asyncio.sleep(INTERVAL / 4)
    assert INTERVAL * (1 / 4 + JITTER / 2) == pytest.approx(resyncs.after(1))


async def test_a_key_that_comes_back_has_another_time() -> None:
    """Nothing is kept of a resource that is gone."""
    draws = iter((0.1, 0, 0.9, 0))
    resyncs: Resyncs[int] = Resyncs(INTERVAL, lambda: next(draws))
    first = resyncs.after(1)
    resyncs.forget(1)
    resyncs.forget(1)
    assert (0.1 * INTERVAL, 0.9 * INTERVAL) == pytest.approx((first, resyncs.after(1)))
