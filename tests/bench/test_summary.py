"""What the bench makes of the rounds of a run."""

import pytest

from bench.database import AGED
from bench.summary import spread
from tests.helpers.bench_results import load, summary


def test_a_figure_is_the_median_of_its_rounds() -> None:
    """One round that went wrong by far does not move it, but the spread tells of it."""
    found = summary(
        load("orders", 100.0, turn=0), load("orders", 110.0, turn=1), load("orders", 10.0, turn=2)
    ).find("orders", "read", 64)

    assert found is not None
    assert 100.0 == found.per_second
    assert 3 == found.turns
    assert 1.0 == found.spread


def test_a_ratio_compares_the_same_rounds() -> None:
    """A machine that is twice as fast in the second round changes no ratio."""
    found = summary(
        load("orders", 150.0, turn=0),
        load("fiber", 100.0, turn=0),
        load("orders", 300.0, turn=1),
        load("fiber", 200.0, turn=1),
        load("baseline", 100.0, turn=1),
    ).find("orders", "read", 64)

    assert found is not None
    assert 1.5 == found.to_fiber
    assert 3.0 == found.to_baseline
    assert found.to_fastapi is None


def test_a_failed_request_makes_a_figure_void() -> None:
    """It is not found any more, its errors are shown, and nothing is compared with it."""
    found = summary(load("orders"), load("fiber", errors=1))

    assert found.find("fiber", "read", 64) is None
    assert [0, 1] == [figure.errors for figure in found.cells("read", 64)]
    ours = found.find("orders", "read", 64)
    assert ours is not None
    assert ours.to_fiber is None


def test_idle_connections_make_another_case() -> None:
    """The same load beside idle connections is not mixed with the one without."""
    found = summary(load("orders", 100.0), load("orders", 50.0, idle=10_000))

    alone, beside = found.find("orders", "read", 64), found.find("orders", "read", 64, idle=10_000)
    assert alone is not None
    assert beside is not None
    assert (100.0, 50.0) == (alone.per_second, beside.per_second)


def test_what_costs_is_compared_with_the_service_without() -> None:
    """Throughput and CPU time of a request, in the same rounds; nothing else is compared so."""
    found = summary(
        load("orders", 100.0, server_us=30.0),
        load("orders", 200.0, server_us=30.0, turn=1),
        load("orders-hooked", 95.0, server_us=34.0),
        load("orders-hooked", 190.0, server_us=34.0, turn=1),
        load("fiber", 50.0),
    )

    hooked = found.find("orders-hooked", "read", 64)
    assert hooked is not None
    assert (0.95, 1.1) == (hooked.to_plain, hooked.cpu_to_plain)
    others = [found.find(server, "read", 64) for server in ("orders", "fiber")]
    assert [None, None] == [figure and figure.to_plain for figure in others]


def test_a_purge_makes_another_case() -> None:
    """It is compared with the same load without one, and its figure tells what was deleted."""
    found = summary(
        load("orders", 100.0, rows=AGED),
        load("orders", 90.0, rows=AGED, purged=2000),
        load("orders", 200.0),
    )

    beside = found.find("orders", "read", 64, AGED, purging=True)
    without = found.find("orders", "read", 64, AGED)
    assert beside is not None
    assert without is not None
    assert (90.0, 100.0) == (beside.per_second, without.per_second)
    assert (0.9, 2000.0, None) == (beside.to_plain, beside.purged, without.purged)


def test_a_round_that_lacks_a_value_makes_no_ratio() -> None:
    """Without the CPU time of PostgreSQL there is no CPU time of a request to compare."""
    found = summary(load("orders"), load("orders-hooked", database_us=None))

    hooked = found.find("orders-hooked", "read", 64)
    assert hooked is not None
    assert (1.0, None) == (hooked.to_plain, hooked.cpu_to_plain)


@pytest.mark.parametrize(
    ("values", "expected"), [([], None), ([5.0], None), ([9.0, 11.0], 0.2), ([0.0, 0.0], None)]
)
def test_a_spread_needs_two_rounds(values: list[float], expected: float | None) -> None:
    """One round says nothing of noise, and nothing is a part of nothing."""
    assert expected == spread(values)
