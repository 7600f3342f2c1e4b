"""A machine that others use publishes nothing."""

import pytest

from bench import quiet
from bench.__main__ import main
from tests.helpers.bench_results import load, results


def test_only_what_others_used_counts() -> None:
    """CPU time of the bench is its own; clocks that differ by a tick give a share all the same."""
    assert 0.25 == quiet.share(busy=3.0, own=2.0, total=4.0)
    assert 1.0 == quiet.share(busy=4.01, own=0.0, total=4.0)
    assert 0.0 == quiet.share(busy=1.99, own=2.0, total=4.0)
    assert 0.0 == quiet.share(busy=0.0, own=0.0, total=0.0)


def test_a_watch_sees_the_work_of_its_own_process_as_its_own() -> None:
    """It gives a share of the machine, whatever this process does meanwhile."""
    watch = quiet.Watch(None)
    sum(range(100_000))

    assert 0.0 <= watch.others() <= 1.0


def test_a_run_from_a_busy_machine_is_refused() -> None:
    """The message has the share that others used and the most that is published."""
    quiet.check(results(load("orders"), busy_before=quiet.MOST_BEFORE))
    with pytest.raises(quiet.Busy, match=r"busy before the run: .* 34% .*, and 5% is the most"):
        quiet.check(results(load("orders"), busy_before=0.34))


def test_one_load_in_ten_may_be_disturbed() -> None:
    """With one more, nothing of the run is published, and the message counts them."""
    calm, busy = quiet.MOST_DURING, quiet.MOST_DURING + 0.2

    quiet.check_during([calm] * 18 + [busy] * 2)
    with pytest.raises(quiet.Busy, match=r"in 3 of 20 loads .* 30% at most"):
        quiet.check_during([calm] * 17 + [busy] * 3)


def test_results_of_before_are_published() -> None:
    """What ran before the machine was watched is taken as it is."""
    quiet.check(results(load("orders")))
    quiet.check_during([])


@pytest.mark.parametrize("command", [[], ["scale"], ["history", "HEAD", "HEAD"]])
def test_no_run_begins_on_a_busy_machine(
    command: list[str], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is refused before anything is built, with what to do instead."""
    monkeypatch.setattr(quiet, "before", lambda: 0.5)
    monkeypatch.setattr("sys.argv", ["bench", *command])

    assert 1 == main()
    said = capsys.readouterr().out
    assert "other processes use 50% of its CPU" in said
    assert "--no-publish" in said
