"""The commands that print: the configuration, a new API key, the OpenAPI document."""

import argparse
import sys
from collections.abc import Mapping
from typing import TYPE_CHECKING

from orders.auth.caller import SCOPES
from orders.cli.arguments import USAGE_ERROR, key_name
from orders.config import Config

if TYPE_CHECKING:
    from orders.cli.arguments import Commands


def add(commands: "Commands") -> None:
    """Add `config`, `keys new` and `openapi`."""
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
    new.add_argument("name", type=key_name, metavar="NAME", help="the caller's name, for the log")
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


def _config(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from orders.config import reference

    if arguments.reference:
        sys.stdout.write(reference.page())
    else:
        config = Config.from_env(environ)
        sys.stdout.write(
            reference.as_json(config) if arguments.json else reference.listing(config)
        )
    return 0


def _keys(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
    arguments.parser.print_help(sys.stderr)
    return USAGE_ERROR


def _new_key(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
    from orders.auth.api_keys import line, new_key

    key = new_key()
    sys.stdout.write(f"{key}\n{line(arguments.name, key, dict.fromkeys(arguments.scopes))}\n")
    return 0


def _openapi(_: argparse.Namespace, __: Mapping[str, str]) -> int:
    from orders.http.openapi import document

    sys.stdout.buffer.write(document())
    return 0
