"""Writes `docs/benchmarks.md` and its charts from a summary; the same summary, the same pages."""

from collections.abc import Iterator
from typing import Final

from bench import apart, chart, cost, history, noise, overhead, paths, readme
from bench.crowd import IDLE, MANY
from bench.database import LARGE, SMALL
from bench.measure import MAIN_CONNECTIONS
from bench.servers import BASELINE, ORDERS
from bench.summary import Figure, Summary
from bench.tables import heading, strong, table
from bench.targets import Target, targets
from bench.tuning import MARGIN

QUESTIONS: Final = {
    "create": ("Create", "`POST /orders`: validate, insert, commit, 201 with the order."),
    "keyed": (
        "Create with a key",
        "The same with an `Idempotency-Key`, a new one for each request, which no peer takes.",
    ),
    "read": ("Read", "`GET /orders/{id}`, 100,000 different ids in random order."),
    "mix": ("Mix", "One request in five creates an order, the others read one."),
    "livez": (
        "Bare endpoint",
        "`GET /livez` without a database: hello world, and this service's probe.",
    ),
}

_INTRODUCTION: Final = [
    "Made by `make bench` (`python -m bench`); do not edit. The method is in",
    "[bench/README.md](../bench/README.md), the figures are in",
    "[benchmarks.json](benchmarks.json). The load generator, PostgreSQL and the server share",
    "the machine, and a commit waits for the disk. Servers take turns in one run, so compare",
    "within this page only. *Observed* means access log, metrics and trace context, as this",
    "service has them by default; *bare* has none of them.",
    "",
]


def write(summary: Summary) -> None:
    """Write the page, a chart of each question that has several points, and README's table."""
    paths.CHARTS.mkdir(parents=True, exist_ok=True)
    for question in QUESTIONS:
        file = paths.CHARTS / f"{question}.svg"
        if _charted(summary, question):
            file.write_text(_chart(summary, question))
        else:
            file.unlink(missing_ok=True)
    paths.REPORT.write_text("\n".join(page(summary)) + "\n")
    readme.write(summary)


def page(summary: Summary) -> Iterator[str]:
    """The lines of `docs/benchmarks.md`."""
    yield "# Benchmarks"
    yield ""
    yield from _INTRODUCTION
    yield from _targets(summary)
    for question, (title, text) in QUESTIONS.items():
        if _numbers(summary, question):
            yield from _question(summary, question, title, text)
    yield from _large(summary)
    yield from _idle(summary)
    yield from overhead.section(summary)
    yield from _start_and_memory(summary)
    yield from cost.section(summary)
    yield from apart.section()
    yield from heading(
        "Several processes",
        "1, 2 and 4 processes on one PostgreSQL, and what PostgreSQL says of them: "
        "[scale.md](scale.md#several-processes).",
    )
    yield from _tuning(summary)
    yield from noise.section(summary)
    yield from history.section()
    if paths.IMAGE_SIZES.exists():
        yield from paths.IMAGE_SIZES.read_text().splitlines()
        yield ""
    yield from _setting(summary)


def _targets(summary: Summary) -> Iterator[str]:
    yield from heading("Targets")
    head = ["target", "at least", "aim", "measured", ""]
    yield from table(head, (_target(target) for target in targets(summary)))


def measured(summary: Summary) -> Iterator[str]:
    """The targets that a run has figures for, a line each, as the end of its output."""
    for target in targets(summary):
        if target.measured is not None:
            name, least, aim, found, verdict = _target(target)
            yield f"{name}: {found}, {verdict} (needed {least}, aim {aim})"


def _target(target: Target) -> list[str]:
    figures = [_valued(target, value) for value in (target.least, target.aim, target.measured)]
    return [target.name, *figures, target.verdict]


def _question(summary: Summary, question: str, title: str, text: str) -> Iterator[str]:
    yield from heading(title, text)
    if _charted(summary, question):
        yield f"![{title}: requests a second](benchmarks/{question}.svg)"
        yield ""
    for connections in _numbers(summary, question):
        yield f"{connections:,} connection{'s' if connections > 1 else ''}:"
        yield ""
        yield from _figures(summary, summary.cells(question, connections))


def _figures(summary: Summary, figures: list[Figure]) -> Iterator[str]:
    """A table of servers; it has the column of the baseline and of p99.9 where they are known."""
    baseline = BASELINE in summary.titles
    late = any(figure.p999_ms is not None for figure in figures)
    spread = any(figure.spread is not None for figure in figures)
    head = ["", "requests/s", *(["spread"] if spread else []), "to Fiber", "to FastAPI"]
    head += [*(["to the baseline"] if baseline else []), "p50 ms", "p99 ms"]
    head += [*(["p99.9 ms"] if late else []), "CPU us: server + PostgreSQL", "PSS MiB"]

    def row(figure: Figure) -> list[str]:
        title = strong(summary, figure.server)
        if figure.errors:
            void = f"void: {figure.errors:,} failed, or nothing was answered"
            return [title, void, *[""] * (len(head) - 2)]
        part = "" if figure.spread is None else f"{figure.spread:.1%}"
        database = "?" if figure.database_us is None else f"{figure.database_us:.0f}"
        return [
            title,
            f"{figure.per_second:,.0f}",
            *([part] if spread else []),
            _times(figure.to_fiber),
            _times(figure.to_fastapi),
            *([_times(figure.to_baseline)] if baseline else []),
            f"{figure.p50_ms:,.2f}",
            f"{figure.p99_ms:,.2f}",
            *([_milliseconds(figure.p999_ms)] if late else []),
            f"{figure.server_us:,.0f} + {database}",
            f"{figure.pss_mib:.0f}",
        ]

    yield from table(head, map(row, figures))


def _large(summary: Summary) -> Iterator[str]:
    figures = summary.cells("read", MAIN_CONNECTIONS, LARGE)
    if not figures:
        return
    yield from heading(
        f"{LARGE:,} rows",
        f"Read, 64 connections, each server right after its turn with {SMALL:,} rows.",
    )
    yield from _figures(summary, figures)


def _idle(summary: Summary) -> Iterator[str]:
    if not any(figure.idle for figure in summary.figures):
        return
    yield from heading(
        "Idle connections",
        f"64 connections that ask, beside {IDLE:,} that are open and ask nothing; each of those "
        f"is asked once more at the end. {MANY:,} connections that all ask are above.",
    )
    for question, (title, _) in QUESTIONS.items():
        figures = summary.cells(question, MAIN_CONNECTIONS, SMALL, IDLE)
        if figures:
            yield f"{title}:"
            yield ""
            yield from _figures(summary, figures)


def _start_and_memory(summary: Summary) -> Iterator[str]:
    if summary.first_order_ms:
        yield from heading(
            "Cold start",
            "From making the process to its first 201; the schema is there, files are cached.",
        )
        rows = summary.first_order_ms.items()
        yield from table(["", "ms"], ([strong(summary, s), f"{ms:,.0f}"] for s, ms in rows))
    if summary.growths:
        yield from heading(
            "Memory over a longer load",
            "PSS in MiB, mix at 64 connections: after a fifth of the load, near its end.",
        )
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


def _tuning(summary: Summary) -> Iterator[str]:
    if not summary.trials:
        return
    yield from heading(
        "Tuning of the Go peers",
        "Bare Fiber at 64 connections with pools of other sizes, and with a collector that runs "
        "less often (Go's default is GOGC=100 and no GOMEMLIMIT). Every Go peer above ran with "
        f"the fastest of them, or with the first unless another gains {MARGIN - 1:.0%}: "
        f"{summary.tuned}.",
    )
    cells = {(figure.server, figure.question): figure for figure in summary.trials}
    head = ["", "POST/s", "GET/s", "POST p99 ms", "GET p99 ms", "PSS MiB"]
    rows = []
    for name in dict.fromkeys(figure.server for figure in summary.trials):
        both = cells.get((name, "create")), cells.get((name, "read"))
        if both[0] and both[1] and not (both[0].errors or both[1].errors):
            speeds = [f"{figure.per_second:,.0f}" for figure in both if figure]
            late = [f"{figure.p99_ms:,.2f}" for figure in both if figure]
            rows.append([name, *speeds, *late, f"{max(f.pss_mib for f in both if f):.0f}"])
    yield from table(head, rows)


def _setting(summary: Summary) -> Iterator[str]:
    yield from heading("Setting")
    titles = {**summary.titles, "go": "Go peers"}
    revision = f", revision {summary.revision}" if summary.revision else ""
    facts = [
        *([("measured", summary.date)] if summary.date else []),
        *summary.machine.items(),
        ("PostgreSQL", ", ".join(f"{name} {value}" for name, value in summary.settings.items())),
        ("load generator", summary.generator),
        *(
            (titles.get(name, name), text + (revision if name == ORDERS else ""))
            for name, text in summary.versions.items()
        ),
        ("command", f"`{summary.command}`, {summary.minutes:.0f} minutes"),
    ]
    yield from ("| | |", "|---|---|", *(f"| {name} | {text} |" for name, text in facts), "")
    for line in summary.left_out:
        yield f"- {line}"


def _numbers(summary: Summary, question: str) -> list[int]:
    """Return the numbers of connections with which a question was asked on the small table."""
    found = {f.connections for f in summary.figures if f.question == question and f.rows == SMALL}
    return sorted(found)


def _charted(summary: Summary, question: str) -> bool:
    return len(_numbers(summary, question)) > 1


def _chart(summary: Summary, question: str) -> str:
    drawn = []
    for server in summary.compared:
        found = {
            number: figure.per_second
            for number in _numbers(summary, question)
            if number < MANY and (figure := summary.find(server, question, number))
        }
        drawn.append(chart.Line(summary.titles[server], found))
    return chart.lines(QUESTIONS[question][0], drawn, summary.titles.get(ORDERS, ""))


def _times(ratio: float | None) -> str:
    return "" if ratio is None else f"{ratio:.2f}"


def _milliseconds(value: float | None) -> str:
    return "" if value is None else f"{value:,.2f}"


def _valued(target: Target, value: float | None) -> str:
    if value is None:
        return ""
    text = f"{value:,.0f}" if value >= 100 else f"{value:.4g}"  # noqa: PLR2004, digits shown
    return f"{text} {target.unit}".strip()
