"""What requests may hold of the memory."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.errors import ContentTooLarge, Overloaded, Problem
from orders.http.budget import COLD, Budget, Held, divide, parsed

MIB = 1024 * 1024


def refused(held: Callable[[], object]) -> type[Problem] | None:
    """Return what is raised, if anything is."""
    try:
        held()
    except Problem as problem:
        return type(problem)
    return None


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 300_000), st.booleans()), max_size=40))
def test_what_is_held_is_within_the_budget_and_given_back(
    story: list[tuple[int, int, bool]],
) -> None:
    """Whatever requests take, they have no more than there is, and all of it is given back."""
    budget = Budget(MIB)
    requests = [Held(budget) for _ in range(5)]
    for number, size, ends in story:
        before = budget.used
        if ends:
            budget.give(requests[number].release(but=size))
        elif refused(lambda: requests[number].arrived(size)) is not None:  # noqa: B023
            assert before == budget.used
        assert 0 <= budget.used <= budget.total
    for request in requests:
        request.release()

    assert 0 == budget.used


def test_what_never_fits_is_too_large() -> None:
    """One that would have more than all is 413; one that would fit alone, 503."""
    budget = Budget(MIB)
    first, second = Held(budget), Held(budget)
    first.grow(MIB // 2)

    assert Overloaded is refused(lambda: second.grow(MIB * 3 // 4))
    assert ContentTooLarge is refused(lambda: second.grow(MIB + 1))
    assert ContentTooLarge is refused(lambda: first.grow(MIB))
    assert MIB // 2 == budget.used


def test_an_answer_is_held_in_place_of_its_request() -> None:
    """What a request held is there for its answer, which is charged on until it is read."""
    budget = Budget(MIB)
    held = Held(budget)
    held.cold([(b"accept", b"*/*")])
    assert COLD < budget.used < COLD * 2
    held.answers(100_000)
    assert 100_000 == budget.used

    assert 60_000 == held.release(but=60_000)
    assert 60_000 == budget.used


@given(st.lists(st.integers(1, 100_000), min_size=1, max_size=10))
def test_a_body_costs_the_same_in_pieces(pieces: list[int]) -> None:
    """A body is counted as what it becomes, and a little for each piece that it comes in."""
    budget = Budget(100 * MIB)
    held = Held(budget)
    for piece in pieces:
        held.arrived(piece)

    assert parsed(sum(pieces)) == pytest.approx(budget.used, abs=65 * len(pieces))


def test_a_small_container_has_room_for_both() -> None:
    """128 MiB are enough for hundreds of connections and some batches at a time, 64 are not."""
    shares = divide(128 * MIB * 9 // 10, 48 * MIB)

    assert 500 < shares.connections < 1000
    assert shares.requests > 7 * parsed(400_000)
    assert shares.enough
    assert not divide(64 * MIB, 48 * MIB).enough
