"""How far a run's figures can be trusted: the spread of its rounds, and others' use of the CPU."""

import statistics
from collections.abc import Iterator

from bench.measure import MAIN_CONNECTIONS, MORE_CONNECTIONS
from bench.summary import Figure, Summary
from bench.tables import heading, paragraph, strong, table


def section(summary: Summary) -> Iterator[str]:
    """Noise, and what the load generator took."""
    spreads = [figure.spread for figure in summary.figures if figure.spread is not None]
    if spreads:
        yield from heading(
            "Noise",
            "The spread is the range of a figure's rounds as a part of their median: "
            f"{statistics.median(spreads):.1%} in the middle of {len(spreads)} figures, "
            f"{max(spreads):.1%} at most. Where it is large, compare CPU time.",
        )
        if summary.busy_before is not None and summary.busy_during is not None:
            yield from paragraph(
                f"Others used {summary.busy_before:.1%} of the machine's CPU before the run, "
                f"{summary.busy_during:.1%} in the middle of all loads, {summary.busiest:.1%} at "
                "most; kernel threads that work for the bench count as others."
            )
    yield from _generator(summary)


def _generator(summary: Summary) -> Iterator[str]:
    wanted = [
        (question, number)
        for question in ("create", "read")
        for number in (MAIN_CONNECTIONS, MORE_CONNECTIONS)
    ]
    rows = []
    for server in summary.compared:
        found = [summary.find(server, question, number) for question, number in wanted]
        if any(figure and figure.generator_us for figure in found):
            rows.append([strong(summary, server), *map(_share, found)])
    if not rows:
        return
    yield from heading(
        "What the load generator takes",
        f"CPU time of `{summary.generator}` for a request, in us, and its share of what "
        "generator, server and PostgreSQL took together. No other figure has it in it, but the "
        "server shares the cores with it.",
    )
    head = [f"{question}, {number}" for question, number in wanted]
    yield from table(["", *head], rows)


def _share(figure: Figure | None) -> str:
    if figure is None or figure.generator_us is None or figure.cpu_us is None:
        return ""
    share = figure.generator_us / (figure.generator_us + figure.cpu_us)
    return f"{figure.generator_us:.1f}, {share:.0%}"
