"""Every call gets its own answer, whatever happens to its batch."""

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import looptime
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orders.coalesce import Coalescer
from orders.errors import DatabaseUnavailable, DeadlineExceeded, Overloaded
from tests.helpers.fake_lane import Lane, Refused, Working, coalescer

Step = tuple[str, int]
LEFT = {"submit": 5.0, "late": 1.5, "later": 0.2}
"""Seconds that a call has: a slow body leaves less of them."""
SUBMIT = st.tuples(st.sampled_from(["submit", "submit", "late", "later"]), st.integers(-3, 50))
WAIT = st.tuples(st.just("wait"), st.integers(1, 8))
STEPS = st.lists(
    st.one_of(
        SUBMIT,
        st.tuples(st.just("cancel"), st.integers(0, 40)),
        WAIT,
        st.tuples(st.just("lose"), st.integers(0, 1)),
        st.tuples(st.just("restore"), st.integers(0, 1)),
        st.tuples(st.just("silence"), st.integers(0, 1)),
    ),
    max_size=60,
)
WORKING = st.sampled_from([True, False, None])
ONLY = st.integers(0, 50).map(lambda value: ("submit", value))
CALM = st.lists(st.one_of(ONLY, WAIT), max_size=20)


def in_virtual_time(story: Coroutine[Any, Any, None]) -> None:
    """Run a story to its end."""
    loop = looptime.new_event_loop()
    try:
        loop.run_until_complete(story)
    finally:
        loop.close()


async def all_answered(
    calls: Coalescer[int, int],
    steps: list[Step],
    before: Callable[[int], None] = lambda _: None,
) -> None:
    """Take calm steps, each after what happens before it; every call gets its own answer."""
    futures = []
    for index, (name, value) in enumerate(steps):
        before(index)
        if name == "submit":
            futures.append((value, calls.submit(value)))
        else:
            await asyncio.sleep(value / 4)
    answers = await asyncio.gather(*(future for _, future in futures))
    await calls.drain()

    assert [value * 10 for value, _ in futures] == answers


@given(
    steps=STEPS,
    batch_limit=st.integers(1, 5),
    queue_limit=st.integers(1, 10),
    overlap=st.integers(1, 4),
    working=WORKING,
)
def test_every_call_gets_its_own_answer(
    steps: list[Step], batch_limit: int, queue_limit: int, overlap: int, working: Working
) -> None:
    """Whatever happens, every accepted call ends with its own answer or its own error in time.

    Whatever of its time is left, it is told by its own deadline. Bounds hold at every step, no
    call is out more than twice, and nothing is left over.
    """

    async def story() -> None:
        loop = asyncio.get_running_loop()
        lanes = Lane(seconds=0.4, working=working), Lane(seconds=0.7, working=working)
        calls = coalescer(
            *lanes, batch_limit=batch_limit, queue_limit=queue_limit, overlap=overlap
        )
        accepted: list[tuple[int, float, asyncio.Future[int]]] = []
        ended: dict[int, float] = {}

        def note(index: int) -> Callable[[object], None]:
            def ends(_: object) -> None:
                ended[index] = loop.time()

            return ends

        for name, value in steps:
            if name in LEFT:
                item = len(accepted) if value >= 0 else -1 - len(accepted)
                deadline = loop.time() + LEFT[name]
                try:
                    future = calls.submit(item, deadline=deadline)
                except Overloaded:
                    assert calls.depth >= queue_limit
                except DatabaseUnavailable:
                    assert all(lane.down_since is not None for lane in lanes)
                else:
                    future.add_done_callback(note(len(accepted)))
                    accepted.append((item, deadline, future))
            elif name == "cancel" and accepted:
                accepted[value % len(accepted)][2].cancel()
            elif name == "wait":
                await asyncio.sleep(value / 4)
            elif name == "lose":
                lanes[value].lose()
            elif name == "restore":
                lanes[value].restore()
            elif name == "silence":
                lanes[value].silent = True
            assert calls.in_flight <= len(lanes)
            assert calls.depth <= queue_limit + batch_limit * len(lanes)
            assert all(copies <= 2 for copies in (lanes[0].out + lanes[1].out).values())
        for lane in lanes:
            lane.restore()
        await calls.drain()
        await asyncio.sleep(0)
        for index, (item, deadline, future) in enumerate(accepted):
            assert future.done()
            assert ended[index] <= deadline + 0.001
            if future.cancelled():
                continue
            error = future.exception()
            if error is None:
                assert item >= 0
                assert item * 10 == future.result()
            else:
                assert isinstance(error, DeadlineExceeded) or (
                    item < 0 and isinstance(error, Refused)
                )
        assert all(len(batch) <= batch_limit for lane in lanes for batch in lane.batches)

    in_virtual_time(story())


@pytest.mark.parametrize("down", [0, 1])
@given(steps=CALM, overlap=st.integers(1, 64))
def test_a_lane_that_is_down_takes_no_batch(down: int, steps: list[Step], overlap: int) -> None:
    """Beside a lane that is down for good, the one that stands answers every call."""

    async def story() -> None:
        lanes = Lane(seconds=0.1), Lane(seconds=0.1)
        calls = coalescer(*lanes, overlap=overlap)
        lanes[down].lose()
        await all_answered(calls, steps)

        assert [] == lanes[down].batches

    in_virtual_time(story())


@given(
    steps=CALM,
    after=st.integers(0, 20),
    silent=st.sampled_from([(0,), (1,), (0, 1)]),
    working=st.sampled_from([False, None]),
    overlap=st.integers(1, 64),
)
@example(steps=[("submit", 0)], after=0, silent=(0, 1), working=False, overlap=1)
def test_a_lane_that_goes_silent_costs_no_call(
    steps: list[Step], after: int, silent: tuple[int, ...], working: Working, overlap: int
) -> None:
    """When connections go silent, their batches are answered on others, within the deadline."""

    async def story() -> None:
        lanes = Lane(seconds=0.1, working=working), Lane(seconds=0.1, working=working)
        lanes[0].others, lanes[1].others = [lanes[1]], [lanes[0]]
        calls = coalescer(*lanes, overlap=overlap)

        def fall_silent(index: int) -> None:
            for number in silent if index == after else ():
                lanes[number].silent = True

        await all_answered(calls, steps, fall_silent)

    in_virtual_time(story())
