"""Writes `docs/benchmarks.md` and its charts from a summary; the same summary, the same pages."""

from collections.abc import Iterator

from bench import chart, places, readme
from bench.database import LARGE, SMALL
from bench.servers import ORDERS
from bench.summary import Figure, Summary
from bench.tables import strong, table
from bench.targets import Target, targets

QUESTIONS = {
    "create": ("Create", "`POST /orders`: validate, insert, commit, 201 with the order."),
    "read": ("Read", "`GET /orders/{id}`, 100,000 different ids in random order."),
    "mix": ("Mix", "One request in five creates an order, the others read one."),
    "livez": (
        "Bare endpoint",
        "`GET /livez` without a database: hello world, and this service's probe.",
    ),
}

_INTRODUCTION = [
    "Made by `make bench` (`python -m bench`); do not edit. The method is in",
    "[bench/README.md](../bench/README.md), the figures are in",
    "[benchmarks.json](benchmarks.json). The load generator, PostgreSQL and the server share",
    "the machine, and a commit waits for the disk. Servers take turns in one run, so compare",
    "within this page only. *Observed* means access log, metrics and trace context, as this",
    "service has them by default; *bare* has none of them.",
    "",
]
_HEAD = [
    "",
    "requests/s",
    "to Fiber",
    "to FastAPI",
    "p50 ms",
    "p99 ms",
    "CPU us: server + PostgreSQL",
    "PSS MiB",
]


def write(summary: Summary) -> None:
    """Write the page, a chart for each question that was measured, and README's table."""
    places.CHARTS.mkdir(parents=True, exist_ok=True)
    for question, (title, _) in QUESTIONS.items():
        values = [
            (summary.titles[figure.server], figure.per_second)
            for figure in _cells(summary, question, 64, SMALL)
            if not figure.errors
        ]
        if values:
            note = f"requests a second, 64 connections, {SMALL:,} rows; longer is better"
            ours = summary.titles.get(ORDERS, "")
            picture = chart.bars(title, note, values, ours)
            (places.CHARTS / f"{question}.svg").write_text(picture)
    places.REPORT.write_text("\n".join(_page(summary)) + "\n")
    readme.write(summary)


def _page(summary: Summary) -> Iterator[str]:
    yield "# Benchmarks"
    yield ""
    yield from _INTRODUCTION
    yield from _targets(summary)
    for question, (title, text) in QUESTIONS.items():
        if _cells(summary, question, 64, SMALL):
            yield from _question(summary, question, title, text)
    yield from _large(summary)
    yield from _start_and_memory(summary)
    if places.IMAGE_SIZES.exists():
        yield from places.IMAGE_SIZES.read_text().splitlines()
        yield ""
    yield from _setting(summary)


def _targets(summary: Summary) -> Iterator[str]:
    yield "## Targets"
    yield ""
    head = ["target", "at least", "aim", "measured", ""]
    yield from table(head, (_target(target) for target in targets(summary)))


def _target(target: Target) -> list[str]:
    figures = [_valued(target, value) for value in (target.least, target.aim, target.measured)]
    return [target.name, *figures, target.verdict]


def _question(summary: Summary, question: str, title: str, text: str) -> Iterator[str]:
    yield f"## {title}"
    yield ""
    yield text
    yield ""
    yield f"![{title}: requests a second](benchmarks/{question}.svg)"
    yield ""
    for connections in sorted({f.connections for f in summary.figures if f.question == question}):
        yield f"{connections} connection{'s' if connections > 1 else ''}:"
        yield ""
        yield from _figures(summary, _cells(summary, question, connections, SMALL))


def _figures(summary: Summary, figures: list[Figure]) -> Iterator[str]:
    yield from table(_HEAD, (_row(summary, figure) for figure in figures))


def _row(summary: Summary, figure: Figure) -> list[str]:
    title = strong(summary, figure.server)
    if figure.errors:
        return [title, f"void: {figure.errors:,} errors", *[""] * 6]
    database = "?" if figure.database_us is None else f"{figure.database_us:.0f}"
    return [
        title,
        f"{figure.per_second:,.0f}",
        _times(figure.to_fiber),
        _times(figure.to_fastapi),
        f"{figure.p50_ms:,.2f}",
        f"{figure.p99_ms:,.2f}",
        f"{figure.server_us:,.0f} + {database}",
        f"{figure.pss_mib:.0f}",
    ]


def _large(summary: Summary) -> Iterator[str]:
    figures = _cells(summary, "read", 64, LARGE)
    if not figures:
        return
    yield f"## {LARGE:,} rows"
    yield ""
    yield f"Read, 64 connections, each server right after its turn with {SMALL:,} rows."
    yield ""
    yield from _figures(summary, figures)


def _start_and_memory(summary: Summary) -> Iterator[str]:
    if summary.first_order_ms:
        yield "## Cold start"
        yield ""
        yield "From making the process to its first 201; the schema is there, files are cached."
        yield ""
        rows = summary.first_order_ms.items()
        yield from table(["", "ms"], ([strong(summary, s), f"{ms:,.0f}"] for s, ms in rows))
    if summary.growths:
        yield "## Memory over a longer load"
        yield ""
        yield "PSS in MiB, mix at 64 connections: after a fifth of the load, near its end."
        yield ""
        yield from table(
            ["", "seconds", "requests", "early", "late"],
            (
                [
                    strong(summary, growth.server),
                    f"{growth.seconds:.0f}",
                    f"{growth.requests:,}",
                    f"{growth.early_mib:.1f}",
                    f"{growth.late_mib:.1f}",
                ]
                for growth in summary.growths
            ),
        )


def _setting(summary: Summary) -> Iterator[str]:
    yield "## Setting"
    yield ""
    titles = {**summary.titles, "go": "Go peers"}
    facts = [
        *summary.machine.items(),
        ("PostgreSQL", ", ".join(f"{name} {value}" for name, value in summary.settings.items())),
        ("load generator", summary.generator),
        *((titles.get(name, name), text) for name, text in summary.versions.items()),
        ("command", f"`{summary.command}`, {summary.minutes:.0f} minutes"),
    ]
    yield from ("| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in facts), "")
    for line in summary.left_out:
        yield f"- {line}"


def _cells(summary: Summary, question: str, connections: int, rows: int) -> list[Figure]:
    wanted = (question, connections, rows)
    return [f for f in summary.figures if (f.question, f.connections, f.rows) == wanted]


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def _valued(target: Target, value: float | None) -> str:
    if value is None:
        return ""
    text = f"{value:,.0f}" if value >= 100 else f"{value:.4g}"  # noqa: PLR2004, digits shown
    return f"{text} {target.unit}".strip()
