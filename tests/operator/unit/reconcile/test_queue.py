"""What the queue promises: no change is missed, no key is worked on twice at a time."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders_operator.reconcile.queue import (
    LONGEST_DELAY_SECONDS,
    MOST_SLOW,
    SLOW_SECONDS,
    WORKERS,
    KeyedQueue,
    backoff,
)

pytestmark = pytest.mark.looptime

Work = Callable[[str], Awaitable[float | None]]


@pytest.fixture
async def started() -> AsyncIterator[Callable[[Work], KeyedQueue[str]]]:
    """Start queues, and stop them at the end."""
    queues: list[KeyedQueue[str]] = []

    def start(work: Work) -> KeyedQueue[str]:
        queue = KeyedQueue(work)
        queue.start()
        queues.append(queue)
        return queue

    yield start
    for queue in queues:
        await queue.stop()


def now() -> float:
    """Return the loop's virtual time."""
    return round(asyncio.get_running_loop().time(), 3)


async def test_a_key_added_twice_is_worked_on_once(
    started: Callable[[Work], KeyedQueue[str]],
) -> None:
    """Events that arrive together cause one reconcile."""
    done: list[str] = []

    async def work(key: str) -> None:
        done.append(key)

    queue = started(work)
    queue.add("a")
    queue.add("a")
    queue.add("b")
    assert 2 == len(queue)

    await asyncio.sleep(1)

    assert ["a", "b"] == done
    assert 0 == len(queue)


async def test_a_key_added_during_its_work_runs_once_more(
    started: Callable[[Work], KeyedQueue[str]],
) -> None:
    """A change that arrives while its resource is reconciled is not missed."""
    times: list[tuple[float, str]] = []

    async def work(_: str) -> None:
        times.append((now(), "start"))
        await asyncio.sleep(10)
        times.append((now(), "end"))

    queue = started(work)
    queue.add("a")
    await asyncio.sleep(5)
    queue.add("a")
    queue.add("a")
    await asyncio.sleep(100)

    assert [(0, "start"), (10, "end"), (10, "start"), (20, "end")] == times


async def test_keys_do_not_wait_for_each_other(
    started: Callable[[Work], KeyedQueue[str]],
) -> None:
    """Four keys are worked on at the same time, a fifth waits for a worker."""
    ends: list[float] = []

    async def work(_: str) -> None:
        await asyncio.sleep(1)
        ends.append(now())

    queue = started(work)
    for key in "abcde":
        queue.add(key)
    await asyncio.sleep(100)

    assert [1, 1, 1, 1, 2] == ends


async def test_slow_keys_hold_no_worker(started: Callable[[Work], KeyedQueue[str]]) -> None:
    """While any number of keys wait for what does not answer, the others are worked on."""
    quick: list[float] = []

    async def work(key: str) -> None:
        if key.startswith("slow"):
            await asyncio.sleep(30)
        else:
            quick.append(now())

    queue = started(work)
    slow = [f"slow {number}" for number in range(2 * MOST_SLOW)]
    for key in slow:
        queue.add(key)
    queue.add("quick")
    await asyncio.sleep(100)
    [first] = quick
    assert first <= SLOW_SECONDS * len(slow) / WORKERS

    for key in slow:
        queue.add(key)
    queue.add("quick")
    began = now()
    await asyncio.sleep(1)
    assert [first, began] == quick
    assert MOST_SLOW == len(queue)


async def test_slow_keys_take_turns(started: Callable[[Work], KeyedQueue[str]]) -> None:
    """Those that are known to be slow wait for each other, and none is forgotten."""
    done: list[str] = []

    async def work(key: str) -> None:
        await asyncio.sleep(30)
        done.append(key)

    queue = started(work)
    keys = {f"slow {number}" for number in range(2 * MOST_SLOW)}
    for _ in range(2):
        for key in keys:
            queue.add(key)
        await asyncio.sleep(200)

    assert 2 * len(keys) == len(done)
    assert keys == set(done[len(keys) :])
    assert 0 == len(queue)


async def test_a_key_that_is_quick_again_has_a_worker(
    started: Callable[[Work], KeyedQueue[str]],
) -> None:
    """What was slow once is not for ever."""
    durations = iter((30.0, 1.0, 1.0))

    async def work(_: str) -> None:
        await asyncio.sleep(next(durations))

    queue = started(work)
    for _ in range(3):
        queue.add("a")
        await asyncio.sleep(50)

    assert next(durations, None) is None
    assert queue.alive


async def test_a_failing_key_comes_back_after_growing_delays(
    started: Callable[[Work], KeyedQueue[str]],
) -> None:
    """Failures in a row wait 0.5, 1 and 2 seconds; a success starts again."""
    times: list[float] = []

    async def work(_: str) -> None:
        times.append(now())
        if len(times) < 4:
            raise OSError

    queue = started(work)
    queue.add("a")
    await asyncio.sleep(1)
    assert 1 == queue.failing
    await asyncio.sleep(99)

    assert [0, 0.5, 1.5, 3.5] == times
    assert 0 == queue.failing
    assert queue.alive


async def test_an_event_does_not_wait_for_a_backoff(
    started: Callable[[Work], KeyedQueue[str]],
) -> None:
    """What may cure a failure is looked at at once."""
    times: list[float] = []

    async def work(_: str) -> None:
        times.append(now())
        if now() < 5:
            raise OSError

    queue = started(work)
    queue.add("a")
    await asyncio.sleep(5.2)  # failed at 0, 0.5, 1.5, 3.5; the next try would be at 7.5
    queue.add("a")
    await asyncio.sleep(100)

    assert [0, 0.5, 1.5, 3.5, 5.2] == times


async def test_work_may_ask_to_come_back(started: Callable[[Work], KeyedQueue[str]]) -> None:
    """A key comes back when its work says so, and the earlier of two wishes counts."""
    times: list[float] = []

    async def work(_: str) -> float | None:
        times.append(now())
        return 30 if len(times) == 1 else None

    queue = started(work)
    queue.add("a")
    await asyncio.sleep(1)
    queue.add_after("a", 60)
    await asyncio.sleep(100)
    assert [0, 30] == times

    queue.add_after("a", 60)
    queue.add_after("a", 10)
    await asyncio.sleep(100)
    assert [0, 30, 111] == times


async def test_what_has_changed_goes_first(started: Callable[[Work], KeyedQueue[str]]) -> None:
    """A change of one of a thousand does not wait until the others have been looked at again."""
    done: list[str] = []

    async def work(key: str) -> None:
        await asyncio.sleep(1)
        done.append(key)

    queue = started(work)
    for number in range(1000):
        queue.add(f"{number}", urgent=False)
    await asyncio.sleep(0.5)
    queue.add("999")
    await asyncio.sleep(2)
    assert "999" in done
    await asyncio.sleep(1000)
    assert 1000 == len(done)


async def test_a_rollout_is_not_put_off_by_the_rest(
    started: Callable[[Work], KeyedQueue[str]],
) -> None:
    """What wants to come back soon does, though it was to be looked at again with all others."""
    times: list[float] = []

    async def work(key: str) -> float | None:
        await asyncio.sleep(1)
        if key != "rollout":
            return None
        times.append(now())
        return 5

    queue = started(work)
    queue.add("rollout")
    for number in range(1000):
        queue.add(f"{number}", urgent=False)
    await asyncio.sleep(0.5)
    queue.add("rollout", urgent=False)
    await asyncio.sleep(20)
    assert 3 <= len(times)


async def test_a_failure_is_as_urgent_as_before(
    started: Callable[[Work], KeyedQueue[str]],
) -> None:
    """A change whose reconcile failed once does not wait until all others are looked at."""
    times: list[float] = []

    async def work(key: str) -> None:
        await asyncio.sleep(1)
        if key == "changed":
            times.append(now())
            if len(times) == 1:
                raise OSError

    queue = started(work)
    queue.add("changed")
    for number in range(1000):
        queue.add(f"{number}", urgent=False)
    await asyncio.sleep(5)
    assert 2 == len(times)


async def test_a_forgotten_key_does_not_come_back(
    started: Callable[[Work], KeyedQueue[str]],
) -> None:
    """A deleted resource is not tried again."""
    times: list[float] = []

    async def work(_: str) -> None:
        times.append(now())
        raise OSError

    queue = started(work)
    queue.add("a")
    await asyncio.sleep(0.1)
    queue.forget("a")
    await asyncio.sleep(100)

    assert [0] == times
    assert 0 == queue.failing


async def test_a_dead_worker_is_seen(started: Callable[[Work], KeyedQueue[str]]) -> None:
    """When a worker ends, the queue is no longer alive."""

    async def work(_: str) -> None:
        raise SystemExit

    async def wait(_: str) -> None:
        await asyncio.sleep(1000)

    queue = started(wait)
    assert queue.alive
    queue._workers[0].cancel()
    await asyncio.sleep(1)
    assert not queue.alive


@given(st.integers(1, 10_000))
def test_backoff_grows_and_is_bounded(failures: int) -> None:
    """No delay is longer than the longest, and none is shorter than the one before."""
    assert 0.5 <= backoff(failures) <= backoff(failures + 1) <= LONGEST_DELAY_SECONDS
