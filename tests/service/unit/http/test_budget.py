"""What requests may hold of the memory."""

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.errors import ContentTooLarge, Overloaded, Problem
from orders.http.budget import COLD, Budget, Held, parsed, weight
from orders.http.shares import PLAIN, TLS, Transport, divide
from orders.model import NewOrder

MIB = 1024 * 1024


def refused(held: Callable[[], object]) -> type[Problem] | None:
    """Return what is raised, if anything is."""
    try:
        held()
    except Problem as problem:
        return type(problem)
    return None


@given(
    st.lists(
        st.tuples(
            st.integers(0, 4), st.integers(0, 300_000), st.sampled_from(("came", "became", "ends"))
        ),
        max_size=40,
    )
)
def test_what_is_held_is_within_the_budget_and_given_back(
    story: list[tuple[int, int, str]],
) -> None:
    """Whatever requests take, they have no more than there is, and all of it is given back."""
    budget = Budget(MIB)
    requests = [Held(budget) for _ in range(5)]
    for number, size, what in story:
        before, request = budget.used, requests[number]
        if what == "ends":
            budget.give(request.release(but=size))
            requests[number] = Held(budget)
        else:
            takes = request.arrived if what == "came" else request.became
            if refused(lambda: takes(size)) is not None:  # noqa: B023  it is called at once
                assert before == budget.used
        assert 0 <= budget.used <= budget.for_bodies
    for request in requests:
        request.release()

    assert 0 == budget.used


def test_a_body_is_charged_as_what_it_became() -> None:
    """Once decoded, a text of one emoji counts four times, and space in the body not at all."""
    budget = Budget(100 * MIB)
    plain, wide, padded = Held(budget), Held(budget), Held(budget)
    cold = Held(budget)
    cold.cold([])
    charged = []
    for held, item, space in (
        (plain, "a" * 200, 0),
        (wide, "a" * 199 + "\N{FIRE}", 0),
        (padded, "a", 900_000),
    ):
        before = budget.used
        held.arrived(space + len(item.encode()) * 1_000)
        held.became(weight([NewOrder(item, 1)] * 1_000))
        charged.append(budget.used - before)

    assert charged[0] == pytest.approx(400_000, rel=0.05)
    assert charged[1] == pytest.approx(1_030_000, rel=0.05)
    assert charged[2] == pytest.approx(210_000, rel=0.05)
    for held in (plain, wide, padded, cold):
        held.release()
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


def test_bodies_leave_room_for_requests_without_one() -> None:
    """However many bodies come, pages and refusals of other callers have an eighth for them."""
    budget = Budget(MIB)
    while refused(lambda: Held(budget).arrived(1000)) is None:
        pass
    left = MIB - budget.used

    assert MIB // 8 <= left <= MIB // 8 + parsed(1000)
    assert Overloaded is refused(lambda: Held(budget).cold([(b"content-length", b"9")]))
    assert refused(lambda: Held(budget).grow(left)) is None


@pytest.mark.parametrize("transport", [PLAIN, TLS])
def test_what_is_a_courtesy_is_left_out_where_there_is_no_memory(transport: Transport) -> None:
    """Bodies after their answer, and answers unread: nobody is refused for them, or counted so."""
    budget = Budget(MIB, transport)
    held = []
    for courtesy in (Held.may_arrive, Held.may_wait) * 99:
        held.append(Held(budget))
        if not courtesy(held[-1]):
            assert 0 == held.pop().size
    largest = max(transport.arriving, transport.unread)

    assert MIB * 15 // 16 - largest < budget.used <= MIB * 15 // 16
    assert {transport.arriving, transport.unread} == {each.size for each in held}
    assert 0 == budget.refused
    for each in held:
        each.release()
    assert 0 == budget.used


def test_a_body_is_charged_from_its_announcement() -> None:
    """With TLS the server has more of it."""
    charged = []
    for transport in (PLAIN, TLS):
        budget = Budget(MIB, transport)
        Held(budget).cold([])
        without = budget.used
        Held(budget).cold([(b"content-length", b"")])
        charged.append(budget.used - 2 * without)

    assert charged[1] - charged[0] == TLS.arriving - PLAIN.arriving


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
    """128 MiB are enough for hundreds of connections and some batches at a time, 64 are not.

    With TLS connections cost more, and there may be two servers.
    """
    shares = divide(128 * MIB * 9 // 10, 39 * MIB)

    assert 450 < shares.connections < 1000
    assert shares.requests > 7 * parsed(400_000)
    assert shares.enough
    assert not divide(64 * MIB, 39 * MIB).enough
    assert 70 < divide(128 * MIB * 9 // 10, 52 * MIB, TLS).connections < shares.connections // 3
