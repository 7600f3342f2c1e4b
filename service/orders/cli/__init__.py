"""The command line: `orders COMMAND`. Each module here has the commands of one kind.

A command imports what it needs when it runs, so `serve` starts quickly.
"""

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence

from orders import __version__
from orders.cli import database, printing, serving
from orders.cli.arguments import USAGE_ERROR
from orders.config import ConfigError


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run one command; return its exit status, 2 for a wrong call or configuration."""
    called = parser()
    arguments = called.parse_args(argv)
    run: Callable[[argparse.Namespace, Mapping[str, str]], int] | None = arguments.run
    if run is None:
        called.print_help(sys.stderr)
        return USAGE_ERROR
    try:
        return run(arguments, environ)
    except ConfigError as error:
        sys.stderr.write(f"orders: {error}\n")
        return USAGE_ERROR


def parser() -> argparse.ArgumentParser:
    """Return what reads the arguments; `run` is then the function of the command."""
    made = argparse.ArgumentParser(
        prog="orders",
        description="An order service whose concurrent requests share durable group commits.",
        epilog="Everything is configured by environment variables; `orders config` lists them.",
    )
    made.add_argument("--version", action="version", version=f"orders {__version__}")
    made.set_defaults(run=None)
    commands = made.add_subparsers(title="commands", metavar="COMMAND")
    for group in (serving, database, printing):
        group.add(commands)
    return made
