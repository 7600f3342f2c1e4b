"""The ids of orders: UUIDv7 that rise, whatever the clock does, above what is stored."""

import time
from typing import Any
from uuid import RFC_4122, UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.model import NewOrder
from orders.store.inserts import NewRow
from orders.store.order_ids import AHEAD, OrderIds
from orders.uuid7 import IdSource, id_at

NOW = 1_790_000_000_000_000_000
"""Nanoseconds since 1970."""
TIMES = st.lists(st.integers(NOW - 10**12, NOW + 10**12), min_size=1, max_size=50)


@pytest.fixture(autouse=True)
def _clock(monkeypatch: pytest.MonkeyPatch) -> None:
    """Stop the clock."""
    monkeypatch.setattr(time, "time_ns", lambda: NOW)


class Stored:
    """Stands for a table: answers with the newest id below a bound."""

    def __init__(self, *ids: str) -> None:
        self.ids = ids
        self.asked = 0

    async def fetch(self, _: str, parameters: list[Any]) -> list[tuple[Any, ...]]:
        """Return a page of one order."""
        self.asked += 1
        bound, _above, _limit = parameters
        return [(found, "tea", 1, None) for found in sorted(self.ids) if found < bound][-1:]


def dated(ahead: float) -> str:
    """Return an id of the time that is so many seconds ahead, the last one of its moment."""
    return id_at(ahead)[:19] + "bfff-ffffffffffff"


async def given_ids(stored: Stored, number: int) -> list[str]:
    """Give ids to so many rows of a new process."""
    rows = [NewRow(NewOrder("tea", 1)) for _ in range(number)]
    await OrderIds().give(stored.fetch, rows)
    return [row.id for row in rows]


@given(times=TIMES)
def test_ids_rise_whatever_the_clock_does(times: list[int]) -> None:
    """Each is a UUIDv7 greater than the one before, dated by the latest time that was seen."""
    source = IdSource()
    clock = iter(times)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(time, "time_ns", lambda: next(clock))
        found = [source.next() for _ in times]
    ids = [order_id for order_id, _ in found]

    assert sorted(set(ids)) == ids
    assert {(7, RFC_4122)} == {(UUID(i).version, UUID(i).variant) for i in ids}
    assert [ms for _, ms in found] == [UUID(i).int >> 80 for i in ids]
    assert 0 <= found[-1][1] - max(times) // 10**6 <= 1, "to count on takes no millisecond"


@pytest.mark.parametrize("ahead", [-1.0, 0.0, 1.0, AHEAD - 1])
async def test_ids_begin_above_the_newest_stored_one(ahead: float) -> None:
    """That of a clock which has gone back by less than a minute since it was made."""
    newest = dated(ahead)
    ids = await given_ids(Stored(newest, dated(-100)), 3)

    assert sorted({newest, *ids}) == [newest, *ids]


@pytest.mark.parametrize("ahead", [AHEAD + 0.01, 3600.0, 365 * 86_400.0])
async def test_a_clock_that_was_wrong_dates_no_later_order(ahead: float) -> None:
    """An id of more than a minute ahead counts for nothing, and hides none that does."""
    newest, soon = dated(ahead), dated(AHEAD / 2)
    [alone] = await given_ids(Stored(newest), 1)
    [order_id] = await given_ids(Stored(newest, soon), 1)

    assert NOW // 10**6 == UUID(alone).int >> 80
    assert soon < order_id < dated(AHEAD)


async def test_an_order_that_is_sent_again_keeps_its_id() -> None:
    """The stored ones are asked for once, and an id is given once."""
    ids, stored = OrderIds(), Stored()
    rows = [NewRow(NewOrder("tea", 1)), NewRow(NewOrder("milk", 1))]
    await ids.give(stored.fetch, rows[:1])
    first = rows[0].id
    await ids.give(stored.fetch, rows)

    assert 1 == stored.asked
    assert first == rows[0].id < rows[1].id
    assert [row.ms for row in rows] == [UUID(row.id).int >> 80 for row in rows]


async def test_what_cannot_be_asked_gives_no_id() -> None:
    """A refusal passes, and the next batch asks again."""

    async def refuse(*_: object) -> list[tuple[Any, ...]]:
        raise ConnectionError

    ids, stored, row = OrderIds(), Stored(dated(10)), NewRow(NewOrder("tea", 1))
    with pytest.raises(ConnectionError):
        await ids.give(refuse, [row])
    before = row.id
    await ids.give(stored.fetch, [row])

    assert not before
    assert row.id > dated(10)
