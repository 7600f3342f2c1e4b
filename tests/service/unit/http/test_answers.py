"""Answers that are read slowly, of a listener in this process."""

import contextlib
import sys

import pytest

from orders.errors import Overloaded
from orders.http.answers import Answers
from orders.http.budget import Budget
from tests.helpers.listener import Listener, Pair, fill, is_shut
from tests.helpers.server import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="connections are seen on Linux")

SIZE = 100_000


def unread(listener: Listener, answers: Answers, budget: Budget) -> Pair:
    """Return a connection with an answer that waits."""
    caller, accepted = listener.connect()
    fill(accepted)
    budget.take(SIZE, SIZE)
    answers.sent(caller.getsockname(), SIZE)
    return caller, accepted


async def test_where_others_are_refused_who_takes_longest_is_closed(listener: Listener) -> None:
    """One caller for others that were refused, and what its answer had is given back."""
    budget = Budget(3 * SIZE)
    answers = Answers(budget, listener.port, deadline=0)
    (_, first), (_, second) = [unread(listener, answers, budget) for _ in range(2)]
    with pytest.raises(Overloaded):
        budget.take(2 * SIZE, 2 * SIZE)
    await eventually(lambda: is_shut(first))
    with contextlib.closing(first):
        shut = is_shut(second)
    await eventually(lambda: budget.used == SIZE)
    answers.stop()

    assert not shut
    assert not is_shut(second)


async def test_an_answer_that_is_not_late_is_kept(listener: Listener) -> None:
    """However many others are refused: it is given back when it is read."""
    budget = Budget(2 * SIZE)
    answers = Answers(budget, listener.port, deadline=60)
    caller, accepted = unread(listener, answers, budget)
    with pytest.raises(Overloaded):
        budget.take(2 * SIZE, 2 * SIZE)
    caller.setblocking(False)  # noqa: FBT003  its name says it

    def read() -> bool:
        with contextlib.suppress(BlockingIOError):
            while caller.recv(65_536):
                pass
        return budget.used == 0

    await eventually(read)
    answers.stop()

    assert not is_shut(accepted)
