"""Shows what settings cost, and what a load notices of a purge: this service against itself."""

from collections.abc import Iterator
from typing import Final

from bench.database import AGED, OLDER
from bench.measure import MAIN_CONNECTIONS
from bench.summary import Figure, Summary
from bench.tables import heading, table
from bench.variants import VARIANTS

_NAMES: Final = {"create": "POST", "read": "GET"}


def section(summary: Summary) -> Iterator[str]:
    """Return a section for each of the two that was measured."""
    yield from _variants(summary)
    yield from _purge(summary)


def _variants(summary: Summary) -> Iterator[str]:
    rows = []
    for server in VARIANTS:
        found = [summary.find(server, question, MAIN_CONNECTIONS) for question in _NAMES]
        if any(figure and figure.to_plain for figure in found):
            cells = [cell for figure in found for cell in _ratios(figure)]
            rows.append([summary.titles[server], *cells])
    if not rows:
        return
    yield from heading(
        "What settings cost",
        f"{MAIN_CONNECTIONS} connections; each against this service at its defaults, in the same "
        "rounds: throughput, and CPU time of a request, server and PostgreSQL together. The hooks "
        "are one `before`, one `after` and one `failed` of a plugin.",
    )
    head = [f"{name}, {what}" for name in _NAMES.values() for what in ("throughput", "CPU")]
    yield from table(["", *head], rows)


def _purge(summary: Summary) -> Iterator[str]:
    rows = [
        [f"{name}, beside the purge" if purging else name, *_beside(figure)]
        for question, name in _NAMES.items()
        for purging in (False, True)
        for figure in summary.cells(question, MAIN_CONNECTIONS, AGED, purging=purging)
    ]
    if not rows:
        return
    yield from heading(
        "Beside a purge",
        f"`orders purge --delete` at its default pace, while {MAIN_CONNECTIONS} connections "
        f"create or read. It deletes the older {OLDER:,} of {AGED:,} orders and their keys, and "
        "has not finished when the load ends. Each load comes right after the same one without a "
        "purge; throughput is compared with that. PostgreSQL's CPU time includes the purge's.",
    )
    head = ["requests/s", "throughput", "p50 ms", "p99 ms", "p99.9 ms"]
    head += ["CPU us: server + PostgreSQL", "orders deleted in a load"]
    yield from table(["", *head], rows)


def _beside(figure: Figure) -> list[str]:
    if figure.errors:
        return [f"void: {figure.errors:,} failed, or nothing was answered", *[""] * 6]
    database = "?" if figure.database_us is None else f"{figure.database_us:.0f}"
    return [
        f"{figure.per_second:,.0f}",
        "" if figure.to_plain is None else f"{figure.to_plain:.2f}",
        f"{figure.p50_ms:,.2f}",
        f"{figure.p99_ms:,.2f}",
        "" if figure.p999_ms is None else f"{figure.p999_ms:,.2f}",
        f"{figure.server_us:,.0f} + {database}",
        "" if figure.purged is None else f"{figure.purged:,.0f}",
    ]


def _ratios(figure: Figure | None) -> list[str]:
    ratios = (figure.to_plain, figure.cpu_to_plain) if figure else (None, None)
    return ["" if ratio is None else f"{ratio:.2f}" for ratio in ratios]
