"""Targets, and what was measured for them."""

import pytest
from msgspec import structs

from bench.database import AGED
from bench.results import Load
from bench.targets import SET_FOR, Target, targets
from tests.helpers.bench_results import TITLES, load, summary


def measured(name: str, *loads: Load, **other: object) -> Target:
    """Return the one target whose name begins so."""
    [found] = [each for each in targets(summary(*loads, **other)) if each.name.startswith(name)]
    return found


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, "not measured"),
        (2.0, "aim met"),
        (1.8, "met"),
        (1.53, "missed by 10.0%"),
    ],
)
def test_a_verdict_says_what_is_met_or_missed(value: float | None, expected: str) -> None:
    """By how much the least is missed, or whether the aim is met too."""
    assert expected == Target("ratio", "", 1.7, 1.9, value, higher_is_better=True).verdict


def test_cpu_time_is_compared_with_the_revision_that_it_was_set_for() -> None:
    """With another baseline, or none, that target is not measured."""
    loads = [load("orders", server_us=15.0), load("baseline", server_us=40.0)]
    right = {**TITLES, "baseline": f"this service at {SET_FOR}"}

    assert 0.5 == measured("CPU per GET, 64", *loads, titles=right).measured
    other = {**TITLES, "baseline": "this service at 1234567"}
    assert measured("CPU per GET, 64", *loads, titles=other).measured is None
    assert measured("CPU per GET, 64", *loads).measured is None


def test_a_create_with_a_key_is_compared_with_one_with_a_key() -> None:
    """CPU of server and PostgreSQL, against the same question of the older revision."""
    right = {**TITLES, "baseline": f"this service at {SET_FOR}"}
    loads = [
        load("orders", question="keyed", connections=256, server_us=32.0),
        load("baseline", question="keyed", connections=256, server_us=30.0),
        load("baseline", question="create", connections=256, server_us=10.0),
    ]

    found = measured("CPU per POST with a key, 256", *loads, titles=right)
    assert (1.05, "met") == (found.measured, found.verdict)
    worse = [structs.replace(loads[0], server_us=34.0), *loads[1:]]
    found = measured("CPU per POST with a key, 256", *worse, titles=right)
    assert "missed by 4.8%" == found.verdict


def test_many_connections_may_wait_in_proportion() -> None:
    """Four times the connections may have four times the p99 in a closed load."""
    found = measured(
        "GET, p99 for each of 2,000",
        load("orders", connections=512, p99_ms=10.0),
        load("orders", connections=2000, p99_ms=10.0 * 2000 / 512),
    )

    assert found.measured == pytest.approx(1.0, rel=1e-3)


def test_an_error_beside_idle_connections_is_counted() -> None:
    """Connections that were lost are errors of the load."""
    found = measured("errors at 64 connections beside", load("orders", idle=10_000, errors=7))

    assert 7 == found.measured
    assert "missed" == found.verdict


def test_traces_are_a_part_of_the_speed_without() -> None:
    """Nine tenths are enough."""
    found = measured("GET, speed with 10%", load("orders", 100.0), load("orders-traced", 93.0))

    assert (0.93, "met") == (found.measured, found.verdict)


def test_a_purge_beside_is_compared_with_the_same_table_without() -> None:
    """Speed and p99 of its own table, whatever those of the other tables are."""
    loads = [
        load("orders", 500.0, p99_ms=1.0),
        load("orders", 100.0, rows=AGED),
        load("orders", 96.0, rows=AGED, purged=1000, p99_ms=2.6),
    ]

    assert 0.96 == measured("GET, speed beside a purge", *loads).measured
    assert 1.3 == measured("GET, p99 beside a purge", *loads).measured


def test_without_figures_nothing_is_claimed() -> None:
    """Every target is listed, none is met."""
    assert {"not measured"} == {each.verdict for each in targets(summary())}
