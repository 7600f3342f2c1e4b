"""What is noted of orders, and what comes out."""

import uuid

from hypothesis import given
from hypothesis import strategies as st

from orders_operator.load.ledger import Entry, Ledger

NUMBERS = st.lists(st.integers(0, 1 << 40), unique=True, max_size=20)
TIMES = st.floats(0, 4e9)


@given(st.lists(st.tuples(st.integers(0, 1 << 40), st.uuids(), TIMES), max_size=20))
def test_what_was_acknowledged_comes_out(noted: list[tuple[int, uuid.UUID, float]]) -> None:
    """Each order has its id, and what was sent under its number."""
    ledger = Ledger("run")
    for number, order_id, at in noted:
        ledger.acknowledge(number, order_id, at)
    entries = list(ledger.entries())

    assert len(noted) == len(ledger)
    assert [str(order_id) for _, order_id, _ in noted] == [entry.id for entry in entries]
    assert [ledger.order(number) for number, *_ in noted] == [
        ledger.order(int(entry.key.removeprefix("run-"))) for entry in entries
    ]
    assert entries == [ledger.acknowledged(position) for position in range(len(noted))]


@given(NUMBERS)
def test_orders_can_be_told_apart(numbers: list[int]) -> None:
    """No two have a key or an item in common, and the service takes every one."""
    orders = [Ledger("run").order(number) for number in numbers]

    assert len(numbers) == len({order.key for order in orders})
    assert len(numbers) == len({order.item for order in orders})
    assert all(1 <= order.quantity <= 1_000_000 and len(order.item) <= 200 for order in orders)


def test_an_unknown_end_has_no_id() -> None:
    """It comes after the acknowledged ones, and is not counted with them."""
    ledger = Ledger("run")
    ledger.lose(7, 2.0)
    ledger.acknowledge(8, uuid.UUID(int=1), 1.00049)

    assert (1, 1) == (len(ledger), ledger.unknown)
    assert [
        Entry("00000000-0000-0000-0000-000000000001", "run-8", "load run-8", 9, 1.0),
        Entry(None, "run-7", "load run-7", 8, 2.0),
    ] == list(ledger.entries())


def test_it_can_be_read_while_it_grows() -> None:
    """Who sends it piece by piece gets what was there when it began."""
    ledger = Ledger("run")
    ledger.acknowledge(1, uuid.UUID(int=1), 0)
    entries = ledger.entries()
    first = next(entries)
    ledger.acknowledge(2, uuid.UUID(int=2), 0)

    assert ["run-1"] == [entry.key for entry in (first, *entries)]
