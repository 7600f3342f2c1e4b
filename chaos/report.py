"""Makes docs/reliability.md and its charts from the results: `python -m chaos.report FOLDER`."""

import sys
from pathlib import Path
from typing import Final

from chaos import results
from chaos.catalogue import CHANGES, DISRUPTIONS, Disruption
from chaos.chart import timeline
from chaos.results import Result, Results

PAGE: Final = "reliability.md"
DATA: Final = "reliability.json"
CHARTS: Final = "reliability"
_REQUESTS: Final = 100_000
_HEAD: Final = """\
# Reliability

Made by `make chaos`; do not edit. The figures are in [reliability.json](reliability.json).

Each disruption happens to an `OrderService` in a kind cluster of one control plane and two
workers, on one machine that the load generator, PostgreSQL and Kubernetes share. The load is
`orders-operator load`, in a pod: requests start at fixed times, whatever the answers do, and their
latency counts from then; half of them place an order, half read one that was placed; four of five
use a kept connection, the fifth one of its own. Unless the load says so nothing is tried again: a
connection that is refused or reset counts as a failed request. Afterwards the ledger of all
acknowledged orders is compared with the database, row by row: *lost* is an order that was
acknowledged and is not there, *doubled* is one that is there and nobody asked for.
"""


def write(found: Results, folder: Path) -> None:
    """Write the page, the figures and the charts."""
    results.save(found, folder / DATA)
    charts = folder / CHARTS
    charts.mkdir(parents=True, exist_ok=True)
    known = [it for it in DISRUPTIONS if it.key in found.found]
    for it in known:
        result = found.found[it.key]
        if result.seconds:
            drawn = timeline(it.title, result.seconds, result.marks)
            (charts / f"{it.key}.svg").write_text(drawn, "utf-8")
    parts = [_HEAD, _machine(found), _summary(known, found)]
    parts += [_section(it, found.found[it.key]) for it in known]
    (folder / PAGE).write_text("\n".join(parts), "utf-8")


def lines(found: Results) -> list[str]:
    """Return a line for each result, for a terminal."""
    known = [(it, found.found[it.key]) for it in DISRUPTIONS if it.key in found.found]
    return [
        f"{'met   ' if result.met else 'MISSED'} {it.title}: "
        + (result.error or "; ".join(f"{f.what} {f.measured}" for f in result.figures))
        for it, result in known
    ]


def _machine(found: Results) -> str:
    said = ", ".join(f"{name}: {value}" for name, value in found.machine.items())
    return f"Measured on: {said}.\n"


def _summary(known: list[Disruption], found: Results) -> str:
    lines = [
        "| disruption | bound | requests | failed | |",
        "|---|---|---:|---:|---|",
    ]
    for it in known:
        result = found.found[it.key]
        state = "met" if result.met else "**missed**"
        lines.append(
            f"| [{it.title}](#{_anchor(it.title)}) | {it.bound} | {result.requests:,} |"
            f" {result.failed:,} | {state} |"
        )
    changes = [found.found[it.key] for it in known if it.group == CHANGES]
    requests, failed = sum(it.requests for it in changes), sum(it.failed for it in changes)
    met = failed == 0 and requests >= _REQUESTS
    complete = len(changes) == sum(it.group == CHANGES for it in DISRUPTIONS)
    if not complete or any(it.form == "short" for it in changes):
        return "\n".join([*lines, ""])
    lines.append(
        f"| the first {len(changes)} together | 0 failed of {_REQUESTS:,} at least |"
        f" {requests:,} | {failed:,} | {'met' if met else '**missed**'} |"
    )
    return "\n".join([*lines, ""])


def _section(it: Disruption, result: Result) -> str:
    lines = [f"## {it.title}", "", f"Bound: {it.bound}. Load: {result.load or 'none'}.", ""]
    lines += [f"{note}\n" for note in result.notes]
    if result.figures:
        lines += ["| | measured | bound | |", "|---|---|---|---|"]
        lines += [
            f"| {_cell(f.what)} | {_cell(f.measured)} | {_cell(f.bound)} |"
            f" {'met' if f.met else '**missed**'} |"
            for f in result.figures
        ]
        lines.append("")
    if result.error:
        lines += [f"It did not go to its end: {result.error}", ""]
    if result.errors:
        said = ", ".join(f"{number:,} {name}" for name, number in result.errors.items())
        lines += [f"Failures: {said}.", ""]
    if result.seconds:
        lines += [f"![{it.title}: latency over time]({CHARTS}/{it.key}.svg)", ""]
    marks = [f"{n}. at {mark.at:.1f} s: {mark.text}" for n, mark in enumerate(result.marks, 1)]
    lines += [*marks, ""] if marks else []
    form = "" if result.form == "full" else f" in the {result.form} form"
    return "\n".join([*lines, f"Tried on {result.date}{form}.", ""])


def _anchor(title: str) -> str:
    """Return the anchor that GitHub makes of a heading."""
    kept = (char for char in title.lower() if char.isalnum() or char in " -_")
    return "".join(kept).replace(" ", "-")


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


if __name__ == "__main__":
    place = Path(sys.argv[1])
    write(results.load(place / DATA), place)
