"""Every call gets its own answer, whatever happens to its batch."""

import asyncio
from collections.abc import Callable

import looptime
from hypothesis import given
from hypothesis import strategies as st

from orders.errors import DatabaseUnavailable, DeadlineExceeded, Overloaded
from tests.unit.lane import Lane, Refused, coalescer

Step = tuple[str, int]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("submit"), st.integers(-3, 50)),
        st.tuples(st.just("cancel"), st.integers(0, 40)),
        st.tuples(st.just("wait"), st.integers(1, 8)),
        st.tuples(st.just("lose"), st.integers(0, 1)),
        st.tuples(st.just("restore"), st.integers(0, 1)),
    ),
    max_size=60,
)


@given(
    steps=STEPS,
    batch_limit=st.integers(1, 5),
    queue_limit=st.integers(1, 10),
    overlap=st.integers(1, 4),
)
def test_every_call_gets_its_own_answer(
    steps: list[Step], batch_limit: int, queue_limit: int, overlap: int
) -> None:
    """Whatever happens, every accepted call ends with its own answer or its own error in time.

    Bounds hold at every step, items keep their order within a batch, and nothing is left over.
    """

    async def story() -> None:
        loop = asyncio.get_running_loop()
        lanes = Lane(seconds=0.4), Lane(seconds=0.7)
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
            if name == "submit":
                try:
                    future = calls.submit(value)
                except Overloaded:
                    assert calls.depth == queue_limit
                except DatabaseUnavailable:
                    assert all(lane.down_since is not None for lane in lanes)
                else:
                    future.add_done_callback(note(len(accepted)))
                    accepted.append((value, loop.time(), future))
            elif name == "cancel" and accepted:
                accepted[value % len(accepted)][2].cancel()
            elif name == "wait":
                await asyncio.sleep(value / 4)
            elif name == "lose":
                lanes[value].lose()
            elif name == "restore":
                lanes[value].restore()
            assert calls.in_flight <= len(lanes)
            assert calls.depth <= queue_limit
        for lane in lanes:
            lane.restore()
        await calls.drain()
        await asyncio.sleep(0)
        for index, (value, started, future) in enumerate(accepted):
            assert future.done()
            assert ended[index] <= started + 5.001
            if future.cancelled():
                continue
            error = future.exception()
            if error is None:
                assert value >= 0
                assert value * 10 == future.result()
            else:
                assert isinstance(error, DeadlineExceeded) or (
                    value < 0 and isinstance(error, Refused)
                )
        assert all(len(batch) <= batch_limit for lane in lanes for batch in lane.batches)

    loop = looptime.new_event_loop()
    try:
        loop.run_until_complete(story())
    finally:
        loop.close()
