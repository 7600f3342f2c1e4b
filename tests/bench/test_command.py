"""The bench's command line: what it does not understand is named."""

import pytest

from bench.__main__ import main


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--only", "orders,gofr"], "'gofr' is none of orders, fiber,"),
        (["--questions", "delete"], "'delete' is none of create, keyed,"),
        (["--parts", "loads,coffee"], "'coffee' is none of tuning, loads,"),
        (["--variants", "orders"], "'orders' is none of orders-traced, orders-guarded,"),
        (["--connections", "many"], "'many' is not a list of whole numbers from 1"),
        (["--connections", "64,0"], "'64,0' is not a list of whole numbers from 1"),
    ],
)
def test_a_choice_that_is_not_there_is_named(
    arguments: list[str],
    said: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """With what there is."""
    monkeypatch.setattr("sys.argv", ["bench", *arguments])

    with pytest.raises(SystemExit):
        main()
    assert said in capsys.readouterr().err


def test_a_history_needs_two_revisions(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A step is what lies between two of them."""
    monkeypatch.setattr("sys.argv", ["bench", "history", "HEAD"])

    assert 2 == main()
    assert "name two revisions at least" in capsys.readouterr().out
