"""Results of the bench as tests make them: everything plausible but for what a test names."""

from typing import Any

from bench.results import Load, Results
from bench.summary import Summary, condense

TITLES = {"orders": "this service", "fiber": "Fiber v3 + pgx, bare"}


def load(server: str, per_second: float = 1000.0, **other: Any) -> Load:
    """Make one load: reads at 64 connections, without errors, unless told otherwise."""
    values: dict[str, Any] = {
        "question": "read",
        "connections": 64,
        "rows": 100_000,
        "turn": 0,
        "seconds": 3.0,
        "requests": 3000,
        "errors": 0,
        "p50_ms": 1.0,
        "p99_ms": 2.0,
        "server_us": 30.0,
        "database_us": 10.0,
        "pss_mib": 40.0,
    }
    return Load(server=server, per_second=per_second, **{**values, **other})


def results(*loads: Load, **other: Any) -> Results:
    """Make the results of a run of these loads."""
    values: dict[str, Any] = {
        "machine": {"cores": "2"},
        "versions": {},
        "settings": {"server_version": "18"},
        "generator": "wrk",
        "command": "python -m bench",
        "titles": TITLES,
        "loads": list(loads),
    }
    return Results(**{**values, **other})


def summary(*loads: Load, **other: Any) -> Summary:
    """Make the summary of a run of these loads."""
    return condense(results(*loads, **other))
