"""The pages that are made of results."""

from pathlib import Path

import pytest

from bench import apart, cost, history, paths, readme, report, scale, scale_page, summary
from bench.database import AGED
from bench.history import Step
from tests.helpers.bench_results import load
from tests.helpers.bench_results import summary as summary_of


def test_the_page_in_the_documentation_is_what_the_figures_say() -> None:
    """Results that an older bench left can still be published: `make bench ARGS=report`."""
    found = summary.load(paths.CONDENSED)

    assert paths.REPORT.read_text() == "\n".join(report.page(found)) + "\n"
    assert "\n".join(readme.lines(found)) in paths.README.read_text()
    processes = scale.read()
    assert processes is not None
    assert "\n".join(scale_page.processes(processes)) in paths.SCALE_PAGE.read_text()


def test_readme_has_the_connections_that_were_measured() -> None:
    """64 and 256, or those of them that are there; other numbers are not for it."""
    some = [load("orders", question=question) for question in ("create", "read")]
    more = [load("orders", question=question, connections=256) for question in ("create", "read")]
    head = "POST/s, 64 | GET/s, 64 | p99 ms, 64"

    [first, *_] = readme.lines(summary_of(*some, load("orders", connections=512)))
    assert f"|  | {head} | memory MiB | first order ms |" == first
    [first, *_] = readme.lines(summary_of(*some, *more))
    assert f"|  | {head} | {head.replace('64', '256')} | memory MiB | first order ms |" == first


def test_what_was_measured_apart_has_a_row_that_says_so() -> None:
    """In README and on the page, with its ranges and with what the service did in the same run."""
    found = apart.read()
    assert found is not None

    rows = list(readme.lines(summary_of(load("orders", question="create"))))
    assert any(f"| {found.name}, measured apart | 6,100 to 6,300 |" in row for row in rows)
    section = "\n".join(apart.section())
    assert found.date in section
    assert all(f"| {row.title} |" in section for row in found.rows)


@pytest.mark.parametrize(
    ("of", "expected"),
    [
        ((6100.0, 6300.0), "6,100 to 6,300"),
        ((17.0, 17.0), "17"),
        ((6.6, 10.0), "6.6 to 10"),
        (None, ""),
    ],
)
def test_a_range_is_as_short_as_it_can_be(of: tuple[float, float] | None, expected: str) -> None:
    """One number where both ends are the same."""
    assert expected == apart.between(of, 1)


def test_a_thousand_orders_cost_their_cpu_time() -> None:
    """50 us each keep a twentieth of a core busy, at its price for a month."""
    assert 0.05 == pytest.approx(cost.cores(50.0))
    assert 0.05 * cost.CORE_HOUR * cost.HOURS == pytest.approx(cost.month(50.0))
    page = "\n".join(cost.section(summary_of(load("orders", question="create"))))
    assert "| **this service** | 0.040 | 1.18 |  |  |" in page
    assert cost.SOURCE in page


def test_regeneration_keeps_the_history(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes from a file of its own, which no run writes but that of the history."""
    monkeypatch.setattr(paths, "HISTORY", tmp_path / "history.json")
    step = Step("bbb", "aaa", "Wait less", "2026-11-27", [])
    cell = history.Cell("create", 64, 1.25, (50.0, 40.0), (1.0, 0.9), (3.0, 2.0))

    assert "## History" not in list(report.page(summary_of(load("orders"))))
    history.save([Step("bbb", "aaa", "Wait less", "2026-11-27", [cell])])
    page = list(report.page(summary_of(load("orders"))))
    assert "## History" in page
    assert any(line.startswith(f"| {step.title} | bbb | aaa |") for line in page)


def test_a_run_ends_with_the_targets_that_it_measured() -> None:
    """A line each, and none of those that it has no figures for."""
    said = list(report.measured(summary_of(load("orders", 150.0), load("fiber", 100.0))))

    ratio = "GET, 64 connections, ratio to Fiber + pgx bare: 1.5, aim met (needed 1, aim 1.1)"
    assert ratio in said
    assert not any("POST, 64 connections, ratio" in line for line in said)


def test_what_costs_has_a_table_of_its_own() -> None:
    """A row for each setting that was measured: throughput and CPU time, of POST and of GET."""
    titles = {"orders": "this service", "orders-hooked": "this service, hooks that do nothing"}
    loads = [
        load(server, speed, question=question, server_us=cpu)
        for question in ("create", "read")
        for server, speed, cpu in (("orders", 100.0, 30.0), ("orders-hooked", 97.0, 30.8))
    ]

    page = "\n".join(report.page(summary_of(*loads, titles=titles)))
    assert "| this service, hooks that do nothing | 0.97 | 1.02 | 0.97 | 1.02 |" in page
    assert "## What settings cost" not in "\n".join(report.page(summary_of(*loads[::2])))


def test_a_purge_has_a_table_of_its_own() -> None:
    """With the load without it above; a load that failed is void, with as many cells."""
    loads = [
        load("orders", 100.0, rows=AGED, p999_ms=3.0),
        load("orders", 96.0, rows=AGED, purged=3000, p999_ms=4.0, database_us=12.0),
        load("orders", rows=AGED, question="create", errors=2),
    ]

    page = list(report.page(summary_of(*loads)))
    [head] = [line for line in page if "orders deleted in a load" in line]
    [void] = [line for line in page if line.startswith("| POST | void: 2 failed")]
    assert "| GET | 100 |  | 1.00 | 2.00 | 3.00 | 30 + 10 |  |" in page
    assert "| GET, beside the purge | 96 | 0.96 | 1.00 | 2.00 | 4.00 | 30 + 12 | 3,000 |" in page
    assert head.count("|") == void.count("|")
    assert "## Beside a purge" not in list(report.page(summary_of(load("orders"))))


def test_columns_are_there_where_they_are_known() -> None:
    """p99.9, the spread and the baseline have no column in results without them."""
    plain = "\n".join(report.page(summary_of(load("orders"))))
    titles = {"orders": "this service", "baseline": "this service at 1234567"}
    full = "\n".join(
        report.page(
            summary_of(
                load("orders", 200.0, p999_ms=9.25),
                load("orders", 220.0, p999_ms=9.25, turn=1),
                load("baseline", 100.0, p999_ms=9.25),
                titles=titles,
            )
        )
    )

    assert not any(word in plain for word in ("p99.9", "spread", "to the baseline"))
    assert all(word in full for word in ("p99.9 ms", "| spread |", "to the baseline"))
    assert "| **this service** | 210 | 9.5% |  |  | 2.00 | 1.00 | 2.00 | 9.25 |" in full
