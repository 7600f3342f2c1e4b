"""The coalescer, in virtual time: what is batched, what a failure costs, who is told what."""

import asyncio
from collections.abc import Callable

import pytest

from orders.errors import DatabaseUnavailable, DeadlineExceeded, Overloaded
from tests.helpers.fake_lane import Lane, Refused, Told, Working, coalescer

pytestmark = pytest.mark.looptime


async def test_an_idle_call_goes_out_alone_and_at_once() -> None:
    """An idle call goes out alone and at once."""
    lane = Lane()
    answer = coalescer(lane).submit(1)
    await asyncio.sleep(0)

    assert [[1]] == lane.batches
    assert 10 == await answer


async def test_calls_gather_while_a_batch_is_in_flight() -> None:
    """Calls that come while a batch is in flight share the next one."""
    lane = Lane()
    calls = coalescer(lane)
    answers = await asyncio.gather(*(calls.submit(n) for n in range(1, 6)))

    assert [[1], [2, 3, 4, 5]] == lane.batches
    assert [10, 20, 30, 40, 50] == answers


async def test_at_most_one_batch_a_lane_is_in_flight() -> None:
    """Two lanes carry two batches at a time, never three."""
    lanes = Lane(), Lane()
    calls = coalescer(*lanes)
    futures = [calls.submit(n) for n in range(6)]

    assert 2 == calls.in_flight
    assert 4 == calls.depth
    await asyncio.gather(*futures)
    assert 3 == sum(len(lane.batches) for lane in lanes)


async def test_a_second_batch_waits_until_it_is_worth_it() -> None:
    """Beside a batch in flight another goes out only with `overlap` items."""
    lanes = Lane(), Lane()
    calls = coalescer(*lanes, overlap=3)
    futures = [calls.submit(n) for n in range(3)]

    assert 1 == calls.in_flight
    futures.append(calls.submit(3))
    assert 2 == calls.in_flight
    await asyncio.gather(*futures)


async def test_a_batch_that_hangs_holds_up_nobody_else() -> None:
    """What waits beside a batch in flight for longer goes out on another lane."""
    loop = asyncio.get_running_loop()
    lanes = Lane(seconds=1000), Lane(seconds=0.01)
    calls = coalescer(*lanes, overlap=64, overdue_after=0.05)
    started = loop.time()
    hung = calls.submit(1)
    await asyncio.sleep(0.02)
    beside = calls.submit(2)

    assert 20 == await beside
    assert started + 0.06 == pytest.approx(loop.time(), abs=0.001)
    for n in range(3, 6):
        sent = loop.time()
        assert n * 10 == await calls.submit(n)
        assert sent + 0.01 == pytest.approx(loop.time(), abs=0.001)
    assert [[1]] == lanes[0].batches
    with pytest.raises(DeadlineExceeded):
        await hung


async def test_a_lane_that_lands_beside_one_that_hangs_goes_on() -> None:
    """While one batch hangs, what gathered behind the other goes out as soon as that one lands."""
    loop = asyncio.get_running_loop()
    lanes = Lane(seconds=1000), Lane(seconds=0.2)
    calls = coalescer(*lanes, overlap=2, overdue_after=0.05)
    hung = [calls.submit(n) for n in range(1, 4)]
    await asyncio.sleep(0.1)
    started = loop.time()
    late = calls.submit(4)

    assert 40 == await late
    assert started + 0.3 == pytest.approx(loop.time(), abs=0.001)
    assert [[2, 3], [4]] == lanes[1].batches
    for future in hung:
        future.cancel()


async def test_batches_in_time_are_not_joined() -> None:
    """As long as batches land in time, the next one waits for them, again and again."""
    lanes = Lane(seconds=0.04), Lane(seconds=0.04)
    calls = coalescer(*lanes, overlap=64, overdue_after=0.05)
    for n in range(20):
        await asyncio.gather(*(calls.submit(n) for n in range(n, n + 3)))

    assert 40 == sum(len(lane.batches) for lane in lanes)


async def test_behind_a_batch_of_many_some_are_waited_for() -> None:
    """Behind a batch of many the next one waits for a share of as many callers, and no longer."""
    loop = asyncio.get_running_loop()
    lane = Lane()
    calls = coalescer(lane)
    await asyncio.gather(*(calls.submit(n) for n in range(21)))  # 1, then 20 at once
    started = loop.time()
    few = [calls.submit(n) for n in range(11)]
    await asyncio.sleep(0)
    assert 2 == len(lane.batches)
    enough = calls.submit(11)
    await asyncio.gather(*few, enough)

    assert [1, 20, 12] == [len(batch) for batch in lane.batches]
    assert started + 1.0 == loop.time()


async def test_more_callers_are_waited_for_a_millisecond_at_most() -> None:
    """Callers that are too few to be the share go out after a millisecond, and then at once."""
    loop = asyncio.get_running_loop()
    lane = Lane()
    calls = coalescer(lane)
    await asyncio.gather(*(calls.submit(n) for n in range(21)))
    started = loop.time()
    assert 70 == await calls.submit(7)
    assert started + 1.001 == pytest.approx(loop.time(), abs=0.0001)
    started = loop.time()
    assert 80 == await calls.submit(8)

    assert started + 1.0 == pytest.approx(loop.time(), abs=0.0001)


async def test_few_never_wait_for_more() -> None:
    """Behind a batch of few the next one goes out at once."""
    loop = asyncio.get_running_loop()
    calls = coalescer(Lane())
    await asyncio.gather(*(calls.submit(n) for n in range(11)))
    started = loop.time()
    await calls.submit(1)

    assert started + 1.0 == loop.time()


async def test_the_next_batch_is_out_before_answers_are_given() -> None:
    """A lane is given back before anyone is told, so whoever is told sees the next batch out."""
    lane = Lane()
    calls = coalescer(lane)
    seen: list[int] = []
    first = Told(1, lambda: seen.append(calls.in_flight))
    calls.add(first)
    other = calls.submit(2)
    await asyncio.sleep(1.5)

    assert [1] == seen
    assert [10] == first.answers
    assert 20 == await other


async def test_a_batch_may_land_during_its_own_launch() -> None:
    """With a driver that answers at once everybody gets the own answer, also who calls again."""
    calls = coalescer(Lane(seconds=None), Lane(seconds=None), batch_limit=3)
    again = [Told(100 + n) for n in range(20)]

    def call(waiter: Told) -> Callable[[], None]:
        return lambda: calls.add(waiter)

    first = [Told(n, call(again[n])) for n in range(20)]
    for waiter in first:
        calls.add(waiter)
    await calls.drain()

    assert [[waiter.item * 10] for waiter in first + again] == [w.answers for w in first + again]


async def test_a_waiter_that_breaks_keeps_nobody_from_the_answer() -> None:
    """When one waiter cannot take its answer, the others of its batch have theirs."""

    def breaks() -> None:
        raise RuntimeError

    calls = coalescer(Lane())
    waiters = [Told(1), Told(2, breaks), Told(3)]
    for waiter in waiters:
        calls.add(waiter)
    await calls.drain()

    assert [[10], [20], [30]] == [waiter.answers for waiter in waiters]


async def test_waiters_fail_at_their_deadline() -> None:
    """A waiter is told at its deadline, and once, whether it was on its way or in the queue."""
    loop = asyncio.get_running_loop()
    lane = Lane(seconds=1000)
    calls = coalescer(lane)
    started = loop.time()
    waiters = [Told(1), Told(2)]
    for waiter in waiters:
        calls.add(waiter)
    await calls.drain()

    for waiter in waiters:
        [error] = waiter.answers
        assert isinstance(error, DeadlineExceeded)
        assert started + 5.0 == pytest.approx(waiter.at, abs=0.001)


async def test_each_waiter_has_a_deadline_of_its_own() -> None:
    """Whoever has the least time left goes first, and is told first, wherever it joined."""
    loop = asyncio.get_running_loop()
    lane = Lane(seconds=1.0)
    calls = coalescer(lane, batch_limit=2)
    first = calls.submit(0)
    started = loop.time()
    waiters = {left: Told(int(left * 10)) for left in (4.0, 5.0, 0.5, 1.5, 4.5)}
    for left, waiter in waiters.items():
        waiter.deadline = started + left
        calls.add(waiter)
    await calls.drain()

    assert 0 == await first
    assert [[0], [15, 40], [45, 50]] == lane.batches
    assert isinstance(waiters[0.5].answers[0], DeadlineExceeded)
    assert isinstance(waiters[1.5].answers[0], DeadlineExceeded)
    assert [0.5, 1.5] == [pytest.approx(waiters[left].at - started) for left in (0.5, 1.5)]


async def test_a_deadline_that_has_passed_is_told_at_once() -> None:
    """Nothing is tried for a call whose time is over."""
    lane = Lane()
    with pytest.raises(DeadlineExceeded, match="before anything was tried"):
        coalescer(lane).submit(1, deadline=asyncio.get_running_loop().time() - 1)

    assert [] == lane.batches


async def test_a_batch_has_no_more_than_its_limit() -> None:
    """What is over `batch_limit` goes with a later batch."""
    lane = Lane()
    calls = coalescer(lane, batch_limit=2)
    await asyncio.gather(*(calls.submit(n) for n in range(5)))

    assert [[0], [1, 2], [3, 4]] == lane.batches


async def test_one_bad_item_fails_alone() -> None:
    """A refused item fails its own caller; its neighbours in the batch are answered."""
    calls = coalescer(Lane(seconds=0.1))
    answers = await asyncio.gather(
        *(calls.submit(n) for n in (0, 1, 2, -3, 4)), return_exceptions=True
    )

    assert [0, 10, 20] == answers[:3]
    assert isinstance(answers[3], Refused)
    assert 40 == answers[4]


async def test_a_caller_that_goes_away_disturbs_nobody() -> None:
    """Cancelling one caller neither stops the batch nor its neighbours."""
    lane = Lane()
    calls = coalescer(lane)
    first, gone, stays = (calls.submit(n) for n in (1, 2, 3))
    gone.cancel()
    lonely = asyncio.ensure_future(asyncio.wait_for(first, timeout=0.5))
    with pytest.raises(TimeoutError):
        await lonely

    assert 30 == await stays
    assert [[1], [3]] == lane.batches
    assert 0 == lane.abandoned


async def test_a_full_queue_refuses_at_once() -> None:
    """Over the bound a call fails at once and the queued ones are served."""
    calls = coalescer(Lane(), queue_limit=2)
    accepted = [calls.submit(n) for n in range(3)]
    with pytest.raises(Overloaded, match=r"^2 requests are already queued$"):
        calls.submit(3)

    assert [0, 10, 20] == await asyncio.gather(*accepted)


async def test_a_lost_batch_is_sent_again() -> None:
    """A batch whose connection was lost is sent again when it is back; the caller sees latency."""
    lane, retries = Lane(), []
    calls = coalescer(lane, on_retry=lambda: retries.append(1))
    answer = calls.submit(7)
    lane.lose()
    asyncio.get_running_loop().call_later(3, lane.restore)

    assert 70 == await answer
    assert [[7], [7]] == lane.batches
    assert [1] == retries


async def test_a_lost_batch_goes_to_a_lane_that_stands() -> None:
    """A batch whose connection was lost is sent again at once on one that stands."""
    loop = asyncio.get_running_loop()
    lanes = Lane(), Lane()
    calls = coalescer(*lanes)
    started = loop.time()
    answer = calls.submit(7)
    lanes[0].lose()

    assert 70 == await answer
    assert started + 2.0 == pytest.approx(loop.time(), abs=0.001)
    assert [[7]] == lanes[1].batches
    await calls.drain()


@pytest.mark.parametrize("working", [False, None])
async def test_a_silent_batch_is_sent_again(working: Working) -> None:
    """A batch that is out for a third of its time and not at work goes out on another lane."""
    loop = asyncio.get_running_loop()
    lanes, retries = (Lane(working=working), Lane()), []
    lanes[0].silent = True
    calls = coalescer(*lanes, on_retry=lambda: retries.append(1))
    started = loop.time()

    assert 70 == await calls.submit(7)
    assert started + 5 / 3 + 0.1 + 1.0 == pytest.approx(loop.time(), abs=0.001)
    assert [1, 0] == [lane.abandoned for lane in lanes]
    assert [1] == retries
    await calls.drain()
    assert 0 == sum((lanes[0].out + lanes[1].out).values())


async def test_a_silent_batch_waits_for_a_new_connection() -> None:
    """With one lane, the batch is sent again on the connection that replaces the silent one."""
    lane = Lane(working=None, seconds=0.1)
    lane.silent = True

    assert 70 == await coalescer(lane).submit(7)
    assert [[7], [7]] == lane.batches


async def test_a_batch_at_work_is_not_sent_twice() -> None:
    """A batch that the server still works on keeps its lane, and is not sent again."""
    lanes = Lane(seconds=4.0), Lane()
    calls = coalescer(*lanes)

    assert 70 == await calls.submit(7)
    assert [[[7]], []] == [lane.batches for lane in lanes]
    assert 0 == lanes[0].abandoned


async def test_a_batch_that_was_at_work_may_go_silent() -> None:
    """A batch that was at work after a third of its time is looked after again a third later."""
    loop = asyncio.get_running_loop()
    lanes = Lane(), Lane()
    lanes[0].silent = True
    calls = coalescer(*lanes)
    started = loop.time()
    answer = calls.submit(7)
    await asyncio.sleep(2)
    lanes[0].working = None

    assert 70 == await answer
    assert started + 10 / 3 + 0.1 + 1.0 == pytest.approx(loop.time(), abs=0.001)
    assert [1, 0] == [lane.abandoned for lane in lanes]
    await calls.drain()


async def test_the_first_copy_that_succeeds_answers() -> None:
    """When the silent copy is answered after all, its caller does not wait for the other one."""
    loop = asyncio.get_running_loop()
    lanes = Lane(seconds=2.0, working=False), Lane(seconds=10)
    calls = coalescer(*lanes)
    started = loop.time()

    assert 70 == await calls.submit(7)
    assert started + 2.0 == pytest.approx(loop.time(), abs=0.001)
    assert [[[7]], [[7]]] == [lane.batches for lane in lanes]


async def test_a_refusal_counts_only_when_no_copy_is_out() -> None:
    """A copy that is refused says nothing while the other one may still succeed."""
    loop = asyncio.get_running_loop()
    lanes = Lane(working=False), Lane(seconds=0.1)
    lanes[0].silent = True
    calls = coalescer(*lanes)
    started = loop.time()
    with pytest.raises(Refused):
        await calls.submit(-7)

    assert started + 5 / 3 + 0.1 + 2.0 <= loop.time()  # once the silent one is known to be lost
    assert 3 == sum(len(lane.batches) for lane in lanes)
    await calls.drain()


async def test_the_deadline_holds_while_the_connection_is_away() -> None:
    """Callers are told at their deadline, not when the connection comes back."""
    loop = asyncio.get_running_loop()
    lane = Lane()
    calls = coalescer(lane)
    started = loop.time()
    waiting = calls.submit(1), calls.submit(2)
    lane.lose()
    for future in waiting:
        with pytest.raises(DeadlineExceeded):
            await future

    assert started + 5.0 == pytest.approx(loop.time(), abs=0.001)


async def test_a_run_that_hangs_gives_up_its_connection() -> None:
    """A run that outlives all of its callers is cancelled, and its connection replaced."""
    lane = Lane(seconds=1000)
    calls = coalescer(lane)
    with pytest.raises(DeadlineExceeded):
        await calls.submit(1)
    await calls.drain()

    assert 1 == lane.abandoned


async def test_a_long_outage_refuses_at_once() -> None:
    """Once the connection was away for longer than a deadline, a call fails at once."""
    lane = Lane()
    calls = coalescer(lane)
    lane.lose()
    await asyncio.sleep(6)
    with pytest.raises(DatabaseUnavailable, match="no connection to the database for 6 s"):
        calls.submit(1)
    lane.restore()

    assert 20 == await calls.submit(2)


async def test_links_travel_with_their_batch() -> None:
    """A batch hands its lane the links of the calls in it, and only those."""
    lane = Lane()
    calls = coalescer(lane)
    await asyncio.gather(calls.submit(1, "a"), calls.submit(2), calls.submit(3, "c"))

    assert [["a"], ["c"]] == lane.links


async def test_drain_returns_when_all_is_answered() -> None:
    """Drain returns once nothing waits and nothing is in flight."""
    lane = Lane()
    calls = coalescer(lane)
    futures = [calls.submit(n) for n in range(4)]
    await calls.drain()

    assert all(future.done() for future in futures)
