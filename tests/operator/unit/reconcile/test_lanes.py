"""Which key goes next."""

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders_operator.reconcile.lanes import IN_A_ROW, Lanes

additions = st.lists(st.tuples(st.integers(0, 20), st.booleans()))


def lanes_of(added: Iterable[tuple[int, bool]]) -> Lanes[int]:
    """Return lanes to which these were added, each with whether it is urgent."""
    lanes: Lanes[int] = Lanes()
    for key, urgent in added:
        lanes.add(key, urgent=urgent)
    return lanes


def taken(lanes: Lanes[int]) -> list[tuple[int, bool]]:
    """Take all."""
    return [lanes.take() for _ in range(len(lanes))]


def test_what_is_urgent_goes_first() -> None:
    """However many waited before it."""
    lanes = lanes_of([*((key, False) for key in range(1000)), (7000, True)])
    assert (7000, True) == lanes.take()
    assert (0, False) == lanes.take()


def test_what_becomes_urgent_goes_first() -> None:
    """A key that is changed while it waits to be looked at again does not wait twice."""
    lanes = lanes_of([(1, False), (2, False), (3, False), (3, True), (3, False)])
    assert [(3, True), (1, False), (2, False)] == taken(lanes)


def test_the_rest_is_not_forgotten() -> None:
    """While urgent keys come without end, one of the others goes after every eight."""
    lanes = lanes_of([(-1, False), (-2, False)])
    row = []
    for key in range(3 * IN_A_ROW):
        lanes.add(key, urgent=True)
        row.append(lanes.take()[0])
    assert [IN_A_ROW, 2 * IN_A_ROW + 1] == [row.index(-1), row.index(-2)]


def test_urgent_keys_that_met_nobody_owe_nothing() -> None:
    """What comes after a long row of urgent keys waits its turn like any other."""
    lanes = lanes_of((key, True) for key in range(IN_A_ROW * 2))
    taken(lanes)
    lanes.add(1, urgent=False)
    lanes.add(2, urgent=True)
    assert (2, True) == lanes.take()


def test_nothing_can_be_taken_of_nothing() -> None:
    """Empty lanes say so."""
    with pytest.raises(IndexError, match="no key is queued"):
        Lanes[int]().take()


@given(additions)
def test_every_key_goes_once(added: list[tuple[int, bool]]) -> None:
    """Each key is taken once, as urgent if it ever was, in the order of each lane."""
    lanes = lanes_of(added)
    urgent = [*dict.fromkeys(key for key, it in added if it)]
    rest = [key for key in dict.fromkeys(key for key, _ in added) if key not in urgent]
    assert len(urgent) + len(rest) == len(lanes)

    order = taken(lanes)

    assert urgent == [key for key, it in order if it]
    assert rest == [key for key, it in order if not it]
    assert not len(lanes)
