"""Command line of the bench: what to measure, and what to do with the figures.

`python -m bench` measures everything and writes the pages; `--quick`, or any choice of servers,
variants, questions, connections or parts, prints the figures and keeps them in
`.cache/bench/quick.json` only. `scale` measures several processes on one PostgreSQL, for
docs/scale.md; `history` compares revisions of this service; `operator` measures the operator in a
cluster of many objects, for docs/kubernetes.md; `report` writes the pages again. A busy machine
publishes nothing.
"""

import argparse
import resource
import signal
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import cast

from msgspec import structs

from bench import (
    database,
    guarding,
    history,
    load,
    machine,
    paths,
    plan,
    process,
    quiet,
    report,
    results,
    revision,
    scale,
    scale_page,
    servers,
    summary,
    tracing,
)
from bench.load import QUESTIONS, Question
from bench.measure import Bench
from bench.operator import measure as operator_measure
from bench.operator import page as operator_page
from bench.operator.control_plane import ControlPlaneError
from bench.operator.running import OperatorError
from bench.plan import Part
from bench.variants import VARIANTS, variants

FAILURES = (
    load.LoadError,
    database.DatabaseError,
    process.ServerError,
    revision.RevisionError,
    quiet.Busy,
    ControlPlaneError,
    OperatorError,
)


def main() -> int:
    """Run a command; return the exit code."""
    # Inherited as ignored, it would hide how children end: each would seem to have done well.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    options = _parser().parse_args()
    try:
        return _COMMANDS[options.command](options)
    except FAILURES as error:
        _say(str(error))
        return 1


def _run(options: argparse.Namespace) -> int:
    parts = frozenset(map(Part, options.parts))
    default = _parser().get_default
    choices = ("only", "variants", "questions", "connections", "parts")
    partial = options.quick or any(getattr(options, it) != default(it) for it in choices)
    if partial and options.parts == default("parts"):
        parts = frozenset({Part.LOADS, Part.STARTS})
    publish = not (partial or options.no_publish)
    busy = _others(publish=publish)
    chosen, left_out = servers.build([servers.BY_NAME[name] for name in options.only])
    for line in left_out:
        _say(line)
    if options.against:
        chosen.insert(1, revision.find(options.against).server(servers.BASELINE))
    if not chosen:
        return 1
    found, scaled = _measure(_plan(options, parts), chosen, left_out, busy)
    _keep(found, paths.RAW if publish else paths.QUICK)
    for line in report.measured(summary.condense(found)):
        _say(line)
    if not publish:
        return 0
    quiet.check(found)
    if scaled:
        quiet.check_during(scale.foreign(scaled))
        scale.save(scaled)
    return _report(argparse.Namespace(results=paths.RAW))


def _measure(
    asked: plan.Plan, chosen: list[servers.Server], left_out: list[str], busy: float
) -> tuple[results.Results, scale.Scale | None]:
    generator = load.find()
    ours = [server for server in chosen if server.name == servers.ORDERS]
    scaled = None
    with (
        tracing.receiving() as spans,
        guarding.issuing() as issued,
        database.start(migrate=bool(ours)) as running,
    ):
        found = _results(running, generator, chosen, busy)
        found.left_out = left_out
        more = (it for server in ours for it in variants(server, spans, issued))
        compared = [*chosen, *(it for it in more if it.name in asked.variants)]
        found.titles = {server.name: server.title for server in compared}
        began = time.monotonic()
        plan.Session(asked, Bench(running, generator), found, _say).run(compared)
        if ours and Part.SCALE in asked.parts:
            try:
                turns = max(asked.turns - 1, 1)
                scaled = scale.measure(running, generator, asked.seconds, turns, _say)
            except process.ServerError as error:
                found.left_out.append(f"several processes: {error}")
                _say(found.left_out[-1])
        found.minutes = (time.monotonic() - began) / 60
    if scaled:
        scaled = structs.replace(scaled, date=found.date, busy_before=busy)
    return found, scaled


def _results(
    running: database.Database,
    generator: load.Generator,
    chosen: list[servers.Server],
    busy: float,
) -> results.Results:
    return results.Results(
        machine=machine.describe(),
        versions=machine.versions(chosen),
        settings=running.settings(),
        generator=generator.name,
        command=" ".join(["python -m bench", *sys.argv[1:]]),
        titles={server.name: server.title for server in chosen},
        date=_today(),
        revision=revision.current(),
        busy_before=busy,
    )


def _report(options: argparse.Namespace) -> int:
    if options.results:
        raw = results.load(options.results)
        quiet.check(raw)
        summary.save(summary.condense(raw), paths.CONDENSED)
    found = summary.load(paths.CONDENSED)
    report.write(found)
    scale_page.write(found)
    operator_page.write()
    _say(f"wrote {paths.REPORT.relative_to(paths.ROOT)}")
    return 0


def _scale(options: argparse.Namespace) -> int:
    busy = _others(publish=not options.no_publish)
    generator = load.find()
    with database.start(migrate=True) as running:
        found = scale.measure(running, generator, options.seconds or 8.0, options.turns or 2, _say)
    if options.no_publish:
        return 0
    quiet.check_during(scale.foreign(found))
    scale.save(structs.replace(found, date=_today(), busy_before=busy))
    scale_page.write(summary.load(paths.CONDENSED))
    _say(f"wrote {paths.SCALE_PAGE.relative_to(paths.ROOT)}")
    return 0


def _operator(_: argparse.Namespace) -> int:
    operator_measure.save(operator_measure.measure(operator_measure.Plan(), _say))
    operator_page.write()
    _say(f"wrote {paths.OPERATOR_PAGE.relative_to(paths.ROOT)}")
    return 0


def _history(options: argparse.Namespace) -> int:
    asked = [_step(text) for text in options.revisions]
    if len(asked) < 2:  # noqa: PLR2004, one and what it is compared with
        _say("history: name two revisions at least, the oldest first")
        return 2
    busy = _others(publish=not options.no_publish)
    chosen = [each.server(each.name) for each in asked]
    generator = load.find()
    measured = plan.Plan(
        ("create", "read"),
        history.CONNECTIONS,
        options.seconds or 3.0,
        options.turns or 3,
        frozenset({Part.LOADS}),
    )
    with database.start(migrate=True) as running:
        found = _results(running, generator, chosen, busy)
        plan.Session(measured, Bench(running, generator), found, _say).run(chosen)
    _keep(found, paths.QUICK)
    new = history.steps(found, asked)
    for line in history.lines(new):
        _say(line)
    if options.no_publish:
        return 0
    quiet.check(found)
    history.save(history.merge(history.read(), new))
    return _report(argparse.Namespace(results=None))


def _step(text: str) -> revision.Revision:
    """Return the revision of `REV` or `REV=TITLE`."""
    name, _, title = text.partition("=")
    found = revision.find(name)
    return structs.replace(found, subject=title) if title else found


_COMMANDS: dict[str, Callable[[argparse.Namespace], int]] = {
    "run": _run,
    "report": _report,
    "scale": _scale,
    "history": _history,
    "operator": _operator,
}


def _plan(options: argparse.Namespace, parts: frozenset[Part]) -> plan.Plan:
    questions = cast("tuple[Question, ...]", tuple(options.questions))
    connections = tuple(options.connections)
    variants = tuple(options.variants)
    if options.quick:
        seconds, turns = options.seconds or 2.0, options.turns or 1
        return plan.Plan(
            questions, connections, seconds, turns, parts, variants, starts=3, growth_seconds=5
        )
    seconds, turns = options.seconds or 3.0, options.turns or 3
    return plan.Plan(questions, connections, seconds, turns, parts, variants)


def _parser() -> argparse.ArgumentParser:
    names: list[str] = list(servers.BY_NAME)
    kinds: list[str] = list(VARIANTS)
    questions: list[str] = list(QUESTIONS)
    parts: list[str] = list(Part)
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measures the order service against its peers."
    )
    add = parser.add_argument
    add("command", nargs="?", choices=list(_COMMANDS), default="run")
    add("revisions", nargs="*", help="history: REV or REV=TITLE, the oldest first")
    add("--against", metavar="REV", help="measure that revision of this service beside it")
    add("--quick", action="store_true", help="one short turn each, small table, no report")
    add("--no-publish", action="store_true", help="measure, busy or not, and write no page")
    add("--only", type=_choice(names), default=names, help=f"servers, of {','.join(names)}")
    add("--variants", type=_choice(kinds), default=kinds, help=f"of `orders`: {','.join(kinds)}")
    add("--questions", type=_choice(questions), default=questions, help=",".join(questions))
    add("--connections", type=_numbers, default=[64, 256, 1, 512], help="default 64,256,1,512")
    add("--parts", type=_choice(parts), default=parts, help=f"of {','.join(parts)}")
    add("--seconds", type=int, help="of each load, whole; default 3, quick 2, scale 8")
    add("--turns", type=int, help="of each server at 64 and 256; default 3, quick 1, scale 2")
    add("--results", type=Path, help="report: raw results to condense first")
    return parser


def _choice(allowed: list[str]) -> Callable[[str], list[str]]:
    def parse(text: str) -> list[str]:
        asked = text.split(",")
        unknown = [name for name in asked if name not in allowed]
        if unknown:
            msg = f"{unknown[0]!r} is none of {', '.join(allowed)}"
            raise argparse.ArgumentTypeError(msg)
        return [name for name in allowed if name in asked]

    return parse


def _numbers(text: str) -> list[int]:
    try:
        numbers = [int(part) for part in text.split(",")]
    except ValueError:
        numbers = []
    if not numbers or min(numbers) < 1:
        msg = f"{text!r} is not a list of whole numbers from 1, such as 64,256"
        raise argparse.ArgumentTypeError(msg)
    return numbers


def _others(*, publish: bool) -> float:
    """Return others' use of the machine; raise Busy if it is too much to publish."""
    busy = quiet.before()
    if publish:
        quiet.check_before(busy)
    return busy


def _keep(found: results.Results, file: Path) -> None:
    results.save(found, file)
    _say(f"kept what was measured in {file.relative_to(paths.ROOT)}")


def _today() -> str:
    return datetime.now(UTC).date().isoformat()


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
