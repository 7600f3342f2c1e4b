"""Puts the operator's figures into docs/kubernetes.md, between its marks."""

from collections.abc import Iterator
from typing import Final

from bench import marks, paths
from bench.operator.measure import Changes, Found, Memory, read
from bench.tables import table

LIMIT_MIB: Final = 96
ABOVE_MIB: Final = 15
ACTED_SECONDS: Final = 5

_HEAD: Final = ["OrderServices", "Secrets and ConfigMaps of others", "at rest, MiB", "peak, MiB"]


def write() -> None:
    """Write the figures, if they were measured."""
    found = read()
    if found is not None:
        marks.fill(paths.OPERATOR_PAGE, "operator", "make bench ARGS=operator", _lines(found))


def _lines(found: Found) -> Iterator[str]:
    facts = {**found.machine, "Kubernetes": found.kubernetes}
    told = ", ".join([*(f"{name} {value}" for name, value in facts.items()), found.python])
    yield f"Measured with a kube-apiserver and an etcd of its own; {told}."
    yield ""
    yield from table(_HEAD, map(_row, found.memory))
    yield from _bounds(found)
    if found.changes is not None:
        yield from _changes(found.changes)


def _row(it: Memory) -> list[str]:
    return [f"{it.services:,}", _neighbours(it), f"{it.rest_mib:.1f}", f"{it.peak_mib:.1f}"]


def _neighbours(it: Memory) -> str:
    return f"{it.neighbours:,} and {it.neighbours:,}" if it.neighbours else "none"


def _bounds(found: Found) -> Iterator[str]:
    peak = max(it.peak_mib for it in found.memory)
    yield f"- At most {LIMIT_MIB} MiB: {_met(peak <= LIMIT_MIB)}."
    if len(found.memory) > 1:
        alone, beside = found.memory
        above = max(beside.rest_mib - alone.rest_mib, beside.peak_mib - alone.peak_mib)
        yield (
            f"- At most {ABOVE_MIB} MiB above what it is without them: {above:.1f} MiB more,"
            f" {_met(above <= ABOVE_MIB)}. They have {found.neighbour_bytes // 1000} kB each,"
            " half of the ConfigMaps as `kubectl apply` makes them."
        )


def _changes(it: Changes) -> Iterator[str]:
    slowest = max([*it.seconds, it.away_seconds])
    yield (
        f"- With {it.services:,} OrderServices, while all are looked at after a restart, which"
        f" took {it.start_seconds:.0f} s: a change of one is acted on within {ACTED_SECONDS} s."
        f" Of {len(it.seconds)} changes the slowest took {max(it.seconds):.1f} s; one that was"
        f" made while no operator ran was acted on {it.away_seconds:.1f} s after the start of its"
        f" process, {_met(slowest <= ACTED_SECONDS)}."
    )


def _met(true: bool) -> str:  # noqa: FBT001  it is what is said
    return "met" if true else "missed"
