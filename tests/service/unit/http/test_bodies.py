"""How long a request's body is waited for."""

import asyncio
from time import perf_counter
from typing import Any

import pytest

from orders.errors import RequestTimeout
from orders.http.bodies import Bodies

MESSAGE = {"type": "http.request", "body": b"{}"}


async def at_once() -> dict[str, Any]:
    """Receive a body that is there."""
    return MESSAGE


async def never() -> dict[str, Any]:
    """Receive a body that does not come."""
    return await asyncio.get_running_loop().create_future()  # type: ignore[no-any-return]


async def test_a_body_that_is_there_is_given() -> None:
    """What is received is returned, and nothing is waited for afterwards."""
    bodies = Bodies(5)

    assert MESSAGE == await bodies.receive(at_once, perf_counter())
    assert 0 == bodies.waiting


async def test_every_late_body_is_given_up() -> None:
    """Each request has its own time from its start; its task is not left cancelled."""
    bodies = Bodies(0.5)
    now = perf_counter()
    ends: list[str] = []

    async def wait(name: str, started: float) -> None:
        with pytest.raises(RequestTimeout, match="did not arrive within"):
            await bodies.receive(never, started)
        ends.append(name)
        task = asyncio.current_task()
        assert task is not None
        assert 0 == task.cancelling()

    await asyncio.gather(wait("last", now + 0.5), wait("second", now), wait("first", now - 0.5))

    assert ["first", "second", "last"] == ends
    assert 0 == bodies.waiting


async def test_a_task_that_is_cancelled_stays_so() -> None:
    """A cancellation that comes from elsewhere is not taken for a late body."""
    bodies = Bodies(5)
    task = asyncio.ensure_future(bodies.receive(never, perf_counter()))
    await asyncio.sleep(0)
    task.cancel()
    await asyncio.wait([task])

    assert task.cancelled()
    assert 0 == bodies.waiting


async def test_bodies_can_be_given_up_all_at_once() -> None:
    """Those that are waited for are, and those that would be from then on."""
    bodies = Bodies(3600)
    tasks = [asyncio.ensure_future(bodies.receive(never, perf_counter())) for _ in range(3)]
    await asyncio.sleep(0)
    bodies.give_up()
    await bodies.arrived()
    found = await asyncio.gather(
        *tasks, bodies.receive(never, perf_counter()), return_exceptions=True
    )

    assert [RequestTimeout] * 4 == [type(error) for error in found]
