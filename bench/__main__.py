"""Command line of the bench: what to measure, and what to do with the figures.

`python -m bench` measures everything and writes the report; `--quick`, or any choice of servers,
questions or connections, prints the figures and keeps them in `.cache/bench/quick.json` only.
`python -m bench scale` measures several processes on one PostgreSQL, for docs/scale.md, and
`python -m bench operator` the operator in a cluster of many objects, for docs/kubernetes.md.
"""

import argparse
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import cast

from bench import (
    database,
    load,
    machine,
    places,
    plan,
    process,
    report,
    results,
    scale,
    scale_page,
    servers,
    summary,
)
from bench.load import QUESTIONS, Question
from bench.measure import Bench
from bench.operator import measure as operator_measure
from bench.operator import page as operator_page
from bench.operator.control_plane import ControlPlaneError
from bench.operator.running import OperatorError


def main() -> int:
    """Run the bench or render the report; return the exit code."""
    # Inherited as ignored, it would hide how children end: each would seem to have done well.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    options = _parser().parse_args()
    if options.command == "report":
        return _report(options.results)
    if options.command == "operator":
        return _operator()
    if options.command == "scale":
        return _scale(options.seconds or 8.0, options.turns or 2)
    chosen, left_out = servers.build([servers.BY_NAME[name] for name in options.only])
    for line in left_out:
        _say(line)
    if not chosen:
        return 1
    partial = options.quick or any(
        getattr(options, name) != _parser().get_default(name)
        for name in ("only", "questions", "connections")
    )
    try:
        found = _measure(_plan(options), chosen, left_out)
    except (load.LoadError, database.DatabaseError) as error:
        _say(str(error))
        return 1
    results.save(found, places.QUICK if partial else places.RAW)
    return 0 if partial else _report(places.RAW)


def _measure(
    asked: plan.Plan, chosen: list[servers.Server], left_out: list[str]
) -> results.Results:
    generator = load.find()
    ours = any(server.name == servers.ORDERS for server in chosen)
    with database.start(migrate=ours) as running:
        found = results.Results(
            machine=machine.describe(),
            versions=machine.versions(chosen),
            settings=running.settings(),
            generator=generator.name,
            command=" ".join(["python -m bench", *sys.argv[1:]]),
            titles={server.name: server.title for server in chosen},
            left_out=left_out,
        )
        plan.Session(asked, Bench(running, generator), found, _say).run(chosen)
    return found


def _report(raw: Path | None) -> int:
    if raw:
        summary.save(summary.condense(results.load(raw)), places.CONDENSED)
    found = summary.load(places.CONDENSED)
    report.write(found)
    scale_page.write(found)
    operator_page.write()
    _say(f"wrote {places.REPORT.relative_to(places.ROOT)}")
    return 0


def _scale(seconds: float, turns: int) -> int:
    try:
        generator = load.find()
        with database.start(migrate=True) as running:
            scale.save(scale.measure(running, generator, seconds, turns, _say))
    except (load.LoadError, database.DatabaseError, process.ServerError) as error:
        _say(str(error))
        return 1
    scale_page.write(summary.load(places.CONDENSED))
    _say(f"wrote {places.SCALE_PAGE.relative_to(places.ROOT)}")
    return 0


def _operator() -> int:
    try:
        operator_measure.save(operator_measure.measure(operator_measure.Plan(), _say))
    except (ControlPlaneError, OperatorError) as error:
        _say(str(error))
        return 1
    operator_page.write()
    _say(f"wrote {places.OPERATOR_PAGE.relative_to(places.ROOT)}")
    return 0


def _plan(options: argparse.Namespace) -> plan.Plan:
    questions = cast("tuple[Question, ...]", tuple(options.questions))
    connections = tuple(options.connections)
    if options.quick:
        seconds, turns = options.seconds or 2.0, options.turns or 1
        return plan.Plan(
            questions, connections, seconds, turns, large=False, starts=3, growth_seconds=0
        )
    seconds, turns = options.seconds or 4.0, options.turns or 2
    return plan.Plan(
        questions, connections, seconds, turns, large=True, starts=5, growth_seconds=15
    )


def _parser() -> argparse.ArgumentParser:
    names: list[str] = list(servers.BY_NAME)
    questions: list[str] = list(QUESTIONS)
    parser = argparse.ArgumentParser(
        prog="python -m bench", description="Measures the order service against its peers."
    )
    add = parser.add_argument
    add("command", nargs="?", choices=["run", "report", "scale", "operator"], default="run")
    add("--quick", action="store_true", help="one short turn each, small table, no report")
    add("--only", type=_choice(names), default=names, help=f"servers, of {','.join(names)}")
    add("--questions", type=_choice(questions), default=questions, help=",".join(questions))
    add("--connections", type=_numbers, default=[64, 1, 512], help="default 64,1,512")
    add("--seconds", type=float, help="of each load; default 4, quick 2, scale 8")
    add("--turns", type=int, help="of each server at 64 connections; default 2, quick 1")
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
    return [int(part) for part in text.split(",")]


def _say(line: str) -> None:
    print(line, flush=True)


if __name__ == "__main__":
    sys.exit(main())
