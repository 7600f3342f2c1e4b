"""What a window measured, from the readings at its two ends."""

from math import inf
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders_operator.rollout.measure import (
    Added,
    Compared,
    Ends,
    Readings,
    Unmeasured,
    begin,
    go_on,
    measure,
)
from orders_operator.rollout.windows import Counts, Reading


def reading(requests: int, process: float = 1.0, scraped: float | None = None) -> Reading:
    """Return what a process has counted that answers all well."""
    return Reading(Counts(requests, 0, {1.0: requests, inf: requests}), process, scraped)


def named(*names: str) -> list[dict[str, Any]]:
    """Return pods; the name of each is its uid too."""
    return [{"metadata": {"name": name, "uid": name}} for name in names]


def compared(judged: str, beside: str, *, fixed: bool = True) -> Compared:
    """Return pods with names of one letter."""
    return Compared("b", "step 1", named(*judged), named(*beside), fixed=fixed)


def read(names: str, requests: int, **more: Any) -> Readings:
    """Return that every pod of these has counted so many."""
    return Readings({name: reading(requests, **more) for name in names})


def ends(judged: str, beside: str, **more: Any) -> Ends:
    """Return the first end of a window in which nothing was counted yet."""
    found = begin(compared(judged, beside), read(judged + beside, 0, **more))
    assert isinstance(found, Ends)
    return found


def why(found: Added | Unmeasured) -> str:
    """Return why a window says nothing."""
    assert isinstance(found, Unmeasured)
    return found.why


def test_what_was_counted_at_both_ends_is_measured() -> None:
    """Of the judged pods, and of those beside them."""
    found = measure(ends("ab", "xy"), compared("ab", "xy"), read("abxy", 7))
    assert isinstance(found, Added)
    assert (["a", "b"], ["x", "y"]) == (sorted(found.judged), sorted(found.beside))
    assert {7} == {it.requests for it in (*found.judged.values(), *found.beside.values())}


def test_a_canary_pod_that_cannot_be_read_hides_behind_no_other() -> None:
    """Whether it was there from the start or came since; the window goes on."""
    for missing in ("b", "c"):
        found = Readings(read("abcxy".replace(missing, ""), 7).good, {missing: "it answered 503"})
        said = measure(ends("ab", "xy"), compared("abc", "xy"), found)
        assert (
            Unmeasured(f"The metrics of {missing} cannot be read: it answered 503.", goes_on=True)
            == said
        )


def test_a_canary_pod_that_was_replaced_is_inconclusive() -> None:
    """What it answered went with it."""
    assert "Deleted or replaced during the window: b." in why(
        measure(ends("ab", "x"), compared("ac", "x"), read("acx", 7))
    )


def test_a_canary_pod_that_came_is_inconclusive() -> None:
    """As beside an autoscaler: nobody knows how it does; the next window has it from its start."""
    began, last = ends("a", "xy"), compared("ab", "xyz")
    said = measure(began, last, read("abxyz", 7))
    assert Unmeasured("Added during the window: b.") == said
    again = begin(last, read("abxyz", 7))
    assert isinstance(again, Ends)
    found = measure(again, last, read("abxyz", 9))
    assert isinstance(found, Added)
    assert ["a", "b"] == sorted(found.judged)


def test_pods_of_a_fleet_may_come_and_go() -> None:
    """Where the judged ones are all pods of a service, half of them are enough."""
    began = ends("abcd", "")
    found = measure(began, compared("abef", "", fixed=False), read("abef", 7))
    assert isinstance(found, Added)
    assert ["a", "b"] == sorted(found.judged)
    assert "Deleted or replaced" in why(
        measure(began, compared("aefg", "", fixed=False), read("aefg", 7))
    )


@pytest.mark.parametrize(
    "after", [reading(3), reading(50, process=2.0)], ids=["less", "another process"]
)
def test_a_canary_that_counts_anew_is_inconclusive(after: Reading) -> None:
    """Also where it has counted more than before."""
    began = begin(compared("a", ""), Readings({"a": reading(10)}))
    assert isinstance(began, Ends)
    assert "a restarted its counters" in why(
        measure(began, compared("a", ""), Readings({"a": after}))
    )


def test_stable_pods_that_come_or_go_are_left_out_while_half_remain() -> None:
    """Or no window would ever end beside an autoscaler."""
    began = ends("a", "uvwx")
    found = measure(began, compared("a", "uvyz"), read("auvyz", 7))
    assert isinstance(found, Added)
    assert ["u", "v"] == sorted(found.beside)
    said = why(measure(began, compared("a", "uyz"), read("auyz", 7)))
    assert "1 of 4 stable pods" in said


def test_stable_pods_that_cannot_be_read_are_not_there() -> None:
    """At either end; but one that only starts when a window begins is no pod of it."""
    pods = compared("a", "xyz")
    began = begin(pods, read("ax", 0))
    assert isinstance(began, Ends)
    assert isinstance(measure(began, pods, read("axyz", 7)), Added)
    for pod in pods.beside:
        pod["status"] = {"conditions": [{"type": "Ready", "status": "True"}]}
    began = begin(pods, read("ax", 0))
    assert isinstance(began, Ends)
    assert "1 of 3 stable pods" in why(measure(began, pods, read("axyz", 7)))


def test_without_a_pod_nothing_is_measured() -> None:
    """However few requests a window needs."""
    assert isinstance(begin(compared("", "x"), read("x", 0)), Unmeasured)
    assert isinstance(
        measure(ends("a", ""), compared("b", "", fixed=False), read("b", 1)), Unmeasured
    )


def test_what_a_prometheus_scraped_before_is_of_no_account() -> None:
    """Neither at the first end, nor is the same scrape the other end."""
    pods = compared("a", "")
    before = begin(pods, read("a", 5, scraped=100.0), 100.0)
    assert isinstance(before, Unmeasured)
    assert "no new data for a" in why(before)
    began = begin(pods, read("a", 5, scraped=101.0), 100.0)
    assert isinstance(began, Ends)
    assert "no new data for a" in why(measure(began, pods, read("a", 5, scraped=101.0)))
    assert isinstance(measure(began, pods, read("a", 9, scraped=116.0)), Added)


pods = st.sets(st.sampled_from("abcdef"), max_size=6)


@given(pods, pods, pods, pods, pods, pods, st.booleans())
def test_no_window_is_measured_without_every_canary_pod(  # noqa: PLR0913  two ends of three kinds
    before: set[str],
    after: set[str],
    read_before: set[str],
    read_after: set[str],
    beside: set[str],
    anew: set[str],
    goes_on: bool,  # noqa: FBT001  Hypothesis gives it
) -> None:
    """Whatever can be read, comes, goes or restarts: never an exception, never a guess."""
    others = "".join(sorted(it.upper() for it in beside))
    first = compared("".join(sorted(before)), others)
    last = compared("".join(sorted(after)), others)
    began = begin(first, read("".join(read_before & before) + others, 1))
    if isinstance(began, Unmeasured):
        assert not before <= read_before or not before
        return
    found = Readings({it: reading(9, 2.0 if it in anew else 1.0) for it in [*read_after, *others]})
    if goes_on:
        began = go_on(began, first, read("".join(read_before) + others, 2))
    added = measure(began, last, found)
    whole = before == after and after <= read_after and not before & anew
    assert isinstance(added, Added) == whole
    if isinstance(added, Added):
        assert before == added.judged.keys()
        assert {8} == {it.requests for it in added.judged.values()}
