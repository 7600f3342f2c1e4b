"""A body in pieces, by what it is charged for; the pieces themselves are tried over sockets."""

from collections.abc import Callable
from typing import Any

import pytest

from orders.errors import Overloaded
from orders.http.budget import ORDINARY_BODY, Budget, Held
from orders.http.chunks import Chunks

LIMIT = 64 * 1024


class SilentStream:
    """A stream of which nothing comes."""

    def __init__(self) -> None:
        self.cancelled = False

    def __anext__(self) -> Any:
        """Be the next piece as well."""
        return self

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        """Call nobody back."""

    def cancel(self) -> bool:
        """Note that it is wanted no longer."""
        self.cancelled = True
        return True


def test_what_came_is_charged_while_more_is_waited_for() -> None:
    """A body that stops after its first piece holds that; given up, it holds nothing."""
    budget, stream = Budget(1_000_000), SilentStream()
    rest = Chunks(stream, LIMIT, Held(budget), length=60_000, sent=b" " * 16_000)
    rest.add_done_callback(lambda _: None)

    assert 16_000 < budget.used
    assert rest.cancel()
    assert (0, True) == (budget.used, stream.cancelled)


def test_a_small_beginning_is_not_charged() -> None:
    """Up to what an order may need, a body costs nothing."""
    budget = Budget(1_000_000)
    rest = Chunks(SilentStream(), LIMIT, Held(budget), length=60_000, sent=b" " * ORDINARY_BODY)
    rest.add_done_callback(lambda _: None)

    assert 0 == budget.used


def test_a_beginning_for_which_there_is_no_memory_is_refused_at_once() -> None:
    """Nothing more is read of it."""
    budget, told = Budget(100_000), list[Any]()
    budget.take(50_000, 50_000)
    rest = Chunks(SilentStream(), LIMIT, Held(budget), length=60_000, sent=b" " * 16_000)
    rest.add_done_callback(told.append)

    assert [rest] == told
    with pytest.raises(Overloaded):
        rest.result()
    assert 50_000 == budget.used
