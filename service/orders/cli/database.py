"""The commands that change the database: `migrate`, with its own commands, and `purge`."""

import argparse
import contextlib
import signal
import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

from orders.cli.arguments import add_wait, past, percent
from orders.config import Config, ConfigError

if TYPE_CHECKING:
    from orders.cli.arguments import Commands


def add(commands: "Commands") -> None:
    """Add `migrate` and `purge`."""
    _add_migrate(commands.add_parser("migrate", help="bring the schema up to date"))
    purge = commands.add_parser(
        "purge",
        help="delete old orders; without --delete, count them",
        description="Delete the orders that were created before a time, and the idempotency keys"
        " whose last order is among them. This is done in batches with pauses, beside traffic;"
        " the next run continues one that was interrupted.",
    )
    purge.add_argument(
        "--before",
        type=past,
        required=True,
        metavar="DATE",
        help="2026-01-31, its midnight in UTC; 2026-01-31T08:15:30Z; or 90d, as long ago",
    )
    purge.add_argument("--delete", action="store_true", help="delete them")
    purge.add_argument(
        "--share",
        type=percent,
        default=5,
        metavar="PERCENT",
        help="share of the time that it works while it deletes (default: 5)",
    )
    add_wait(purge, "how long to wait while the database is unavailable, such as 60s")
    purge.set_defaults(run=_purge)


def _add_migrate(parser: argparse.ArgumentParser) -> None:
    add_wait(parser, "how long to wait for the database and for locks, such as 20s")
    parser.add_argument(
        "--status",
        action="store_true",
        help="show what is applied and what is pending; the exit status is 3 if something is "
        "pending",
    )
    parser.add_argument("--to", type=int, metavar="N", help="apply nothing after migration N")
    parser.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="write the release and the schema version to FILE",
    )
    parser.set_defaults(run=_migrate)
    below = parser.add_subparsers(title="commands", metavar="[COMMAND]")
    new = below.add_parser(
        "new",
        help="write the next file, with the columns that new fields of the model need",
        description="Write the next numbered file into the migrations of this package, and print"
        " its path. Nothing is applied, and no database is needed.",
    )
    new.add_argument("name", metavar="NAME", help="such as note: a to z, 0 to 9 and _")
    new.set_defaults(run=_new_migration)
    check = below.add_parser(
        "check",
        help="refuse migrations that would break the previous release",
        description="Check each statement against the rules in docs/migration-rules.md, without "
        "a database. The exit status is 1 if one is refused.",
    )
    check.add_argument(
        "paths",
        type=Path,
        nargs="*",
        metavar="PATH",
        help="a file, or a folder of them (default: the migrations of this package)",
    )
    check.add_argument("--rules", action="store_true", help="print the rules, in Markdown")
    check.set_defaults(run=_check)


def _migrate(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    config = Config.from_env(environ)
    from orders.store.migrate import main as migrate

    _work(
        config,
        partial(
            migrate,
            config,
            wait=arguments.wait,
            status=arguments.status,
            to=arguments.to,
            report=arguments.report,
        ),
    )


def _new_migration(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
    with _parser_of_sql(arguments, "new"):
        from orders.store.check.draft import main as new
    return new(arguments.name)


def _check(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
    with _parser_of_sql(arguments, "check"):
        from orders.store.check import reference
        from orders.store.check.command import main as check
    if arguments.rules:
        sys.stdout.write(reference.page())
        return 0
    return check(arguments.paths)


@contextlib.contextmanager
def _parser_of_sql(arguments: argparse.Namespace, command: str) -> Iterator[None]:
    """Import what needs PostgreSQL's parser, for a command that takes nothing of `migrate`."""
    if arguments.wait or arguments.status or arguments.to is not None or arguments.report:
        raise ConfigError(f"migrate {command} takes none of --wait, --status, --to and --report")
    try:
        yield
    except ModuleNotFoundError as error:  # of pglast, or in an image of what needs it
        raise ConfigError(
            f"migrate {command} needs pglast, which is not installed: install"
            " orders-service[check]"
        ) from error


def _purge(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    config = Config.from_env(environ)
    from orders.store.purge import main as purge

    _work(
        config,
        partial(
            purge,
            config,
            arguments.before,
            delete=arguments.delete,
            share=arguments.share / 100,
            wait=arguments.wait,
        ),
    )


def _work(config: Config, work: Callable[[], int]) -> NoReturn:
    """Log as configured, work, and end the process with the status that this returns."""
    from orders.store.process_exit import exit_after
    from orders.telemetry import logs

    def logged() -> int:
        with contextlib.closing(logs.configure(config)):
            return work()

    signal.signal(signal.SIGTERM, _leave)  # the first process of a container has no default
    exit_after(logged, config.secrets().masked)


def _leave(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)
