"""What is shown of several processes on one PostgreSQL."""

from typing import Any

from bench.scale import Figure, Scale, foreign
from bench.scale_page import processes


def scale(**other: Any) -> Scale:
    """Make one figure: creates by two processes, 10,000 a second in batches of 20."""
    values: dict[str, Any] = {
        "question": "create",
        "processes": 2,
        "errors": 0,
        "per_second": 10_000.0,
        "p99_ms": 7.0,
        "server_us": 60.0,
        "database_us": 10.0,
        "batch": 20.0,
        "commits": 0.05,
        "wal": 200.0,
    }
    figure = Figure(**{**values, **other})
    return Scale({"cores": "2"}, {"server_version": "18"}, 3.0, 2, [figure], "2026-11-27")


def test_what_postgresql_counts_is_shown_for_a_second() -> None:
    """Transactions, flushes and bytes of its log; bytes also for each request."""
    page = "\n".join(processes(scale(batch_half=16.0, batch_most=32.0, flushes=0.04)))

    assert "| WAL flushes/s | WAL MB/s |" in page
    assert "| 2 | 10,000 | 7.0 | 60 + 10 | 20.0 | 16 | 32 | 500 | 200 | 400 | 2.0 |" in page


def test_figures_without_flushes_have_no_column_for_them() -> None:
    """Those that an older bench left."""
    page = "\n".join(processes(scale()))

    assert "flushes" not in page
    assert "| 2 | 10,000 | 7.0 | 60 + 10 | 20.0 | 500 | 200 |" in page


def test_each_number_of_connections_has_a_table() -> None:
    """The one that is measured is named."""
    assert "Create, 256 connections in all:" in processes(scale(connections=256))


def test_a_failed_request_makes_the_row_void() -> None:
    """With as many cells as the table has columns."""
    lines = list(processes(scale(errors=3, flushes=0.04)))
    [head] = [line for line in lines if line.startswith("| processes")]
    [row] = [line for line in lines if "void" in line]

    assert "| 2 | void: 3 errors |" in row
    assert head.count("|") == row.count("|")


def test_only_what_was_watched_tells_of_others() -> None:
    """Figures of before say nothing."""
    assert [0.25] == foreign(scale(foreign=0.25))
    assert [] == foreign(scale())
