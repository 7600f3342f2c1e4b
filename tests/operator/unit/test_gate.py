"""What begins where, and how it ends, in virtual time."""

import asyncio

import pytest

from orders_operator.gate import ENDING_SECONDS, Gate

pytestmark = pytest.mark.looptime

KEY = ("shop", "orders")
OTHER = ("stock", "orders")


class Work:
    """Reconciles that take a given time, and what became of them."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self.begun: list[tuple[str, str]] = []
        self.ended: list[tuple[str, str]] = []

    async def __call__(self, key: tuple[str, str]) -> float | None:
        """Reconcile."""
        self.begun.append(key)
        await asyncio.sleep(self._seconds)
        self.ended.append(key)
        return 7.0


async def test_nothing_begins_where_another_works() -> None:
    """A key of such a namespace is dropped; another's comes back when it wants to."""
    work = Work(1)
    gate = Gate(work, lambda namespace: namespace == "shop")

    assert 7.0 == await gate(KEY)
    assert await gate(OTHER) is None
    assert [KEY] == work.begun


async def test_what_is_under_way_ends_first() -> None:
    """A namespace is left when its last reconcile has ended; others go on."""
    work = Work(1)
    gate = Gate(work, lambda _: True)
    tasks = [asyncio.ensure_future(gate(it)) for it in (KEY, OTHER)]
    await asyncio.sleep(0.5)
    assert {"shop", "stock"} == gate.namespaces

    await gate.end("shop")

    assert KEY in work.ended
    assert [7.0, 7.0] == await asyncio.gather(*tasks)
    assert set() == gate.namespaces


async def test_what_does_not_end_is_cut_off() -> None:
    """A reconcile that hangs holds up no hand-over, and does not count as a failure."""
    work = Work(1000)
    gate = Gate(work, lambda _: True)
    task = asyncio.ensure_future(gate(KEY))
    await asyncio.sleep(0)
    started = asyncio.get_running_loop().time()

    await gate.end("shop")

    assert ENDING_SECONDS == pytest.approx(asyncio.get_running_loop().time() - started, abs=0.1)
    assert await task is None
    assert [] == work.ended


async def test_a_worker_that_is_ended_ends_what_it_does() -> None:
    """At the end of the process a reconcile is cut off with its worker."""
    work = Work(1000)
    gate = Gate(work, lambda _: True)
    task = asyncio.ensure_future(gate(KEY))
    await asyncio.sleep(1)

    task.cancel()

    with pytest.raises(asyncio.CancelledError):
        await task
    assert set() == gate.namespaces
    assert [] == work.ended
