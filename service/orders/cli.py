"""The command line. A subcommand imports what it needs when it runs, so `serve` starts quickly."""

import argparse
import contextlib
import os
import re
import signal
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final, NoReturn

from orders import __version__
from orders.auth.caller import SCOPES
from orders.config import Config, ConfigError, protections
from orders.config.masking import masked
from orders.config.parse import duration, integer

USAGE_ERROR: Final = 2
_LONGEST_WAIT: Final = 999_999 * 3600.0
"""What an OrderService may declare."""


def main(argv: Sequence[str] | None = None, environ: Mapping[str, str] = os.environ) -> int:
    """Run one command; return its exit status, 2 for a wrong call or configuration."""
    parser = _parser()
    arguments = parser.parse_args(argv)
    run: Callable[[argparse.Namespace, Mapping[str, str]], int] | None = arguments.run
    if run is None:
        parser.print_help(sys.stderr)
        return USAGE_ERROR
    try:
        return run(arguments, environ)
    except ConfigError as error:
        sys.stderr.write(f"orders: {error}\n")
        return USAGE_ERROR


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="orders",
        description="An order service whose concurrent requests share durable group commits.",
        epilog="Everything is configured by environment variables; `orders config` lists them.",
    )
    parser.add_argument("--version", action="version", version=f"orders {__version__}")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    serve = commands.add_parser("serve", help="serve the API; never migrates")
    serve.add_argument(
        "--require",
        action="extend",
        nargs="+",
        choices=protections.PROTECTIONS,
        default=[],
        help="do not start unless this is configured",
    )
    serve.set_defaults(run=_serve)

    dev = commands.add_parser(
        "dev",
        help="run everything to try it out, with a PostgreSQL of its own",
        description="Use the configured database, or start PostgreSQL with its data in .orders "
        "or in the folder that ORDERS_DATA_DIR names. Then migrate, and serve on "
        "this machine only.",
    )
    dev.set_defaults(run=_dev)

    migrate = commands.add_parser("migrate", help="bring the schema up to date")
    migrate.add_argument(
        "--wait",
        type=_wait,
        default=0.0,
        metavar="TIME",
        help="how long to wait for the database and for locks, such as 20s (default: one try)",
    )
    migrate.add_argument(
        "--status",
        action="store_true",
        help="show what is applied and what is pending; the exit status is 3 if something is "
        "pending",
    )
    migrate.add_argument("--to", type=int, metavar="N", help="apply nothing after migration N")
    migrate.add_argument(
        "--report",
        type=Path,
        metavar="FILE",
        help="write the release and the schema version to FILE",
    )
    migrate.set_defaults(run=_migrate)
    migrating = migrate.add_subparsers(title="commands", metavar="[COMMAND]")
    new_file = migrating.add_parser(
        "new",
        help="write the next file, with the columns that new fields of the model need",
        description="Write the next numbered file into the migrations of this package, and print"
        " its path. Nothing is applied, and no database is needed.",
    )
    new_file.add_argument("name", metavar="NAME", help="such as note: a to z, 0 to 9 and _")
    new_file.set_defaults(run=_new_migration)
    check = migrating.add_parser(
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

    purge = commands.add_parser(
        "purge",
        help="delete old orders; without --delete, count them",
        description="Delete the orders that were created before a time, and the idempotency keys"
        " whose last order is among them. This is done in batches with pauses, beside traffic;"
        " the next run continues one that was interrupted.",
    )
    purge.add_argument(
        "--before",
        type=_before,
        required=True,
        metavar="DATE",
        help="2026-01-31, its midnight in UTC; 2026-01-31T08:15:30Z; or 90d, as long ago",
    )
    purge.add_argument("--delete", action="store_true", help="delete them")
    purge.add_argument(
        "--share",
        type=_percent,
        default=5,
        metavar="PERCENT",
        help="share of the time that it works while it deletes (default: 5)",
    )
    purge.add_argument(
        "--wait",
        type=_wait,
        default=0.0,
        metavar="TIME",
        help="how long to wait while the database is unavailable, such as 60s (default: one try)",
    )
    purge.set_defaults(run=_purge)

    smoke = commands.add_parser(
        "smoke", help="create an order at a running service and read it back"
    )
    smoke.add_argument("url", type=_url, metavar="URL", help="such as http://localhost:8000")
    smoke.add_argument(
        "--wait",
        type=_wait,
        default=0.0,
        metavar="TIME",
        help="how long to retry when it fails, such as 20s (default: one try)",
    )
    either = smoke.add_mutually_exclusive_group()
    either.add_argument(
        "--api-key-file", type=Path, metavar="FILE", help="send the API key in FILE"
    )
    either.add_argument(
        "--token-file", type=Path, metavar="FILE", help="send the bearer token in FILE"
    )
    smoke.add_argument(
        "--ca-file",
        type=Path,
        metavar="FILE",
        help="trust these authorities instead of the system's",
    )
    smoke.set_defaults(run=_smoke)

    config = commands.add_parser(
        "config", help="print the configuration in force, with secrets masked"
    )
    form = config.add_mutually_exclusive_group()
    form.add_argument("--json", action="store_true", help="print it as a JSON object")
    form.add_argument(
        "--reference", action="store_true", help="print the reference page, in Markdown"
    )
    config.set_defaults(run=_config)

    keys = commands.add_parser("keys", help="create API keys")
    keys.set_defaults(run=_keys, parser=keys)
    new = keys.add_subparsers(title="commands", metavar="COMMAND").add_parser(
        "new",
        help="print a new key and the line to store",
        description="Print two lines: the key, for the caller, and the line for "
        "AUTH_API_KEYS_FILE, which does not contain the key. Nothing is stored, and "
        "no configuration is read.",
    )
    new.add_argument("name", type=_key_name, metavar="NAME", help="the caller's name, for the log")
    new.add_argument(
        "--scope",
        action="extend",
        nargs="+",
        required=True,
        choices=SCOPES,
        dest="scopes",
        help="a scope that the key grants; may be repeated",
    )
    new.set_defaults(run=_new_key)

    openapi = commands.add_parser("openapi", help="print the OpenAPI document")
    openapi.set_defaults(run=_openapi)
    return parser


def _serve(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    config = Config.from_env(environ)
    protections.check(arguments.require, config)
    from orders.ports import PortError, check_ports  # noqa: PLC0415
    from orders.serve import main as serve  # noqa: PLC0415

    try:
        check_ports(config)
    except PortError as error:
        sys.stderr.write(f"orders: {error}\n")
        return 1
    return serve(config)


def _dev(_: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from orders.dev import main as dev  # noqa: PLC0415

    return dev(environ)


def _migrate(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    config = Config.from_env(environ)
    from orders.store.migrate import main as migrate  # noqa: PLC0415
    from orders.store.process_exit import exit_after  # noqa: PLC0415
    from orders.telemetry import logs  # noqa: PLC0415

    def work() -> int:
        with contextlib.closing(logs.configure(config)):
            return migrate(
                config,
                wait=arguments.wait,
                status=arguments.status,
                to=arguments.to,
                report=arguments.report,
            )

    signal.signal(signal.SIGTERM, _leave)  # the first process of a container has no default
    exit_after(work, config.secrets().masked)


def _purge(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    config = Config.from_env(environ)
    from orders.store.process_exit import exit_after  # noqa: PLC0415
    from orders.store.purge import main as purge  # noqa: PLC0415
    from orders.telemetry import logs  # noqa: PLC0415

    def work() -> int:
        with contextlib.closing(logs.configure(config)):
            return purge(
                config,
                arguments.before,
                delete=arguments.delete,
                share=arguments.share / 100,
                wait=arguments.wait,
            )

    signal.signal(signal.SIGTERM, _leave)
    exit_after(work, config.secrets().masked)


def _check(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
    with _parser_of_sql(arguments, "check"):
        from orders.store.check import reference  # noqa: PLC0415
        from orders.store.check.command import main as check  # noqa: PLC0415
    if arguments.rules:
        sys.stdout.write(reference.page())
        return 0
    return check(arguments.paths)


def _new_migration(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
    with _parser_of_sql(arguments, "new"):
        from orders.store.check.draft import main as new  # noqa: PLC0415
    return new(arguments.name)


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


def _leave(number: int, _: object) -> NoReturn:
    sys.exit(128 + number)


def _url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"{masked(text)!r} is not an http or https URL")
    return text


def _wait(text: str) -> float:
    try:
        seconds: float = duration(0, _LONGEST_WAIT)(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not allowed; allowed: a duration, 0 to 999999h"
        ) from None
    return seconds


def _before(text: str) -> datetime:
    """Parse the end of what is purged, which is over."""
    now = datetime.now(UTC)
    try:
        if days := re.fullmatch("([0-9]{1,6})d", text):
            return now - timedelta(days=int(days[1]))
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        at = None
    if at is not None and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        at = at.replace(tzinfo=UTC)
    if at is None or at.tzinfo is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not allowed; allowed: a date (2026-01-31), a time with its zone"
            " (2026-01-31T08:15:30Z), or days ago (90d)"
        )
    if at > now:
        raise argparse.ArgumentTypeError(f"{text!r} is in the future")
    return at


def _percent(text: str) -> int:
    try:
        percent: int = integer(1, 100)(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; allowed: 1 to 100") from None
    return percent


def _smoke(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
    from orders.smoke import Credential  # noqa: PLC0415
    from orders.smoke import main as smoke  # noqa: PLC0415

    credential = Credential(arguments.api_key_file, arguments.token_file)
    return smoke(
        arguments.url, wait=arguments.wait, credential=credential, ca_file=arguments.ca_file
    )


def _key_name(text: str) -> str:
    from orders.auth.api_keys import NAMES, is_name  # noqa: PLC0415

    if not is_name(text):
        raise argparse.ArgumentTypeError(f"{masked(text)!r} is not allowed; allowed: {NAMES}")
    return text


def _keys(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
    arguments.parser.print_help(sys.stderr)
    return USAGE_ERROR


def _new_key(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
    from orders.auth.api_keys import line, new_key  # noqa: PLC0415

    key = new_key()
    sys.stdout.write(f"{key}\n{line(arguments.name, key, dict.fromkeys(arguments.scopes))}\n")
    return 0


def _config(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from orders.config import reference  # noqa: PLC0415

    if arguments.reference:
        sys.stdout.write(reference.page())
    else:
        config = Config.from_env(environ)
        sys.stdout.write(
            reference.as_json(config) if arguments.json else reference.listing(config)
        )
    return 0


def _openapi(_: argparse.Namespace, __: Mapping[str, str]) -> int:
    from orders.http.openapi import document  # noqa: PLC0415

    sys.stdout.buffer.write(document())
    return 0
