"""The command line; a subcommand imports its modules only when it runs."""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Final

from orders_common.settings import ConfigError
from orders_operator import __version__
from orders_operator.load import settings as load_settings
from orders_operator.settings import Settings

USAGE_ERROR: Final = 2


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run one command; return its exit status, 2 for a wrong call or configuration."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    command: Callable[[argparse.Namespace, Mapping[str, str]], int] | None = arguments.run
    if command is None:
        parser.print_help(sys.stderr)
        return USAGE_ERROR
    try:
        return command(arguments, environ)
    except ConfigError as error:
        sys.stderr.write(f"orders-operator: {error}\n")
        return USAGE_ERROR


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="orders-operator",
        description="Keeps every OrderService of a cluster as it is declared.",
        epilog="Configured by environment variables.",
    )
    parser.add_argument("--version", action="version", version=f"orders-operator {__version__}")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    run = commands.add_parser("run", help="watch and reconcile, once elected")
    run.set_defaults(run=_run)

    crd = commands.add_parser("crd", help="print the CustomResourceDefinition as YAML")
    form = crd.add_mutually_exclusive_group()
    form.add_argument(
        "--apply", action="store_true", help="apply it to the cluster and wait until it is served"
    )
    form.add_argument("--delete", action="store_true", help="delete it and every OrderService")
    crd.set_defaults(run=_crd)

    load = commands.add_parser(
        "load",
        help="create and read orders at a rate and report what became of each",
        description=(
            "Create and read orders at a constant rate until the duration ends or a signal"
            " comes; then print a report as JSON."
        ),
    )
    load.add_argument("--url", required=True, help="URL of the API, such as http://orders.shop")
    load_settings.add_flags(load)
    load.add_argument(
        "--listen",
        metavar="HOST:PORT",
        help=(
            "serve GET /report, /ledger and /healthz and POST /stop at this address until"
            " SIGTERM, instead of printing the report"
        ),
    )
    load.add_argument("--ledger", type=Path, metavar="FILE", help="write the ledger to this file")
    load.set_defaults(run=_load)
    return parser


def _run(_: argparse.Namespace, environ: Mapping[str, str]) -> int:
    settings = Settings.from_env(environ)
    from orders_operator.run import main as run  # noqa: PLC0415  Kopf is slow to import

    return run(settings)


def _crd(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from orders_operator.definition import apply, delete, printed  # noqa: PLC0415  as above

    if not (arguments.apply or arguments.delete):
        sys.stdout.write(printed())
        return 0
    settings = Settings.from_env(environ)
    from orders_operator.telemetry import logs  # noqa: PLC0415  as above

    logs.configure(settings.log_level)
    return apply() if arguments.apply else delete()


def _load(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
    settings = load_settings.from_flags(arguments)
    listen = load_settings.listen_address(arguments.listen)
    from orders_operator.load.command import main as load  # noqa: PLC0415  as above

    return load(settings, listen, arguments.ledger)
