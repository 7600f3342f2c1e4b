"""For how long callers have had no answer to what they sent."""

from orders.descriptors import Address
from orders.http.unanswered import Unanswered

CALLER: Address = ("127.0.0.1", 50_000)


def seconds(*seen: tuple[int, int], callers: tuple[Address, ...] = ()) -> float:
    """Look once a second at bytes that were read and received; return what is told then."""
    unanswered = Unanswered()
    who = callers or (CALLER,) * len(seen)
    for now, ((read, received), caller) in enumerate(zip(seen, who, strict=True)):
        unanswered.look(now)
        unanswered.see(7, caller, read, received)
    return unanswered.seconds(7, seen[-1][0], float(len(seen)))


def test_a_head_that_comes_slowly_began_with_its_first_byte() -> None:
    """However many come later, and after a pause."""
    assert 5 == seconds((0, 1), (0, 2), (0, 2), (0, 3), (0, 4))


def test_an_answer_is_the_end_of_it() -> None:
    """What comes after that is another request, which began when it came."""
    assert 2 == seconds((0, 10), (0, 11), (500, 12), (500, 13), (500, 14))
    assert 0 == seconds((0, 10), (0, 11), (500, 12), (500, 12), (500, 12))


def test_an_idle_connection_has_begun_nothing() -> None:
    """Nor has one on which nothing ever came; a request after that is young."""
    assert 0 == seconds((0, 0), (0, 0), (0, 0))
    assert 1 == seconds((500, 10), (500, 10), (500, 10), (500, 20))


def test_another_connection_with_the_same_descriptor_is_young() -> None:
    """It is told by its caller."""
    other = ("127.0.0.1", 50_001)

    assert 1 == seconds((0, 9), (0, 9), (0, 9), callers=(CALLER, CALLER, other))


def test_what_was_answered_since_the_look_is_not_late() -> None:
    """It is asked once more before a connection is closed."""
    unanswered = Unanswered()
    unanswered.look(0)
    unanswered.see(7, CALLER, 0, 9)

    assert [9, 0] == [unanswered.seconds(7, read, 9.0) for read in (0, 500)]


def test_what_is_not_seen_any_more_is_forgotten() -> None:
    """With the next look."""
    unanswered = Unanswered()
    unanswered.look(0)
    unanswered.see(7, CALLER, 0, 9)
    unanswered.look(1)

    assert 0 == unanswered.seconds(7, 0, 9.0)
