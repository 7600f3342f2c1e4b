"""Messages of the operator: one list that shows them all."""

from pathlib import Path

import pytest

from tests.helpers.operator.messages import messages

LIST = Path(__file__).parents[1] / "messages.txt"


def test_the_list_is_that_of_the_code() -> None:
    """Whoever changes a message reads the list; `make generate` writes it."""
    assert LIST.read_text() == messages()


@pytest.mark.parametrize(
    "message",
    [
        "{ready} of {wanted} pods serve.",
        "{_named(wanted)} exists and {self._owner.told(live)}",
        "{name} is {shown}; allowed: {allowed}",
        "leading as %s",
        "try a failed revision again",
        "maxLatencyP99 and maxLatencyIncrease are mutually exclusive",
        "The number of the last migration.",
    ],
    ids=["condition", "failure", "error", "log", "help", "rule of the CRD", "description"],
)
def test_a_message_of_each_kind_is_in_the_list(message: str) -> None:
    """So no kind of message is left out."""
    assert f"  {message}" in LIST.read_text().splitlines()
