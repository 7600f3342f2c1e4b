"""The commands that run the service, and the one that tries it."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from orders.cli.arguments import add_wait, url
from orders.config import Config, protections

if TYPE_CHECKING:
    from orders.cli.arguments import Commands


def add(commands: "Commands") -> None:
    """Add `serve`, `dev` and `smoke`."""
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

    smoke = commands.add_parser(
        "smoke", help="create an order at a running service and read it back"
    )
    smoke.add_argument("url", type=url, metavar="URL", help="such as http://localhost:8000")
    add_wait(smoke, "how long to retry when it fails, such as 20s")
    credential = smoke.add_mutually_exclusive_group()
    credential.add_argument(
        "--api-key-file", type=Path, metavar="FILE", help="send the API key in FILE"
    )
    credential.add_argument(
        "--token-file", type=Path, metavar="FILE", help="send the bearer token in FILE"
    )
    smoke.add_argument(
        "--ca-file",
        type=Path,
        metavar="FILE",
        help="trust these authorities instead of the system's",
    )
    smoke.set_defaults(run=_smoke)


def _serve(arguments: argparse.Namespace, environ: Mapping[str, str]) -> int:
    config = Config.from_env(environ)
    protections.check(arguments.require, config)
    from orders.ports import PortError, check_ports
    from orders.serve import main as serve

    try:
        check_ports(config)
    except PortError as error:
        sys.stderr.write(f"orders: {error}\n")
        return 1
    return serve(config)


def _dev(_: argparse.Namespace, environ: Mapping[str, str]) -> int:
    from orders.dev import main as dev

    return dev(environ)


def _smoke(arguments: argparse.Namespace, _: Mapping[str, str]) -> int:
    from orders.smoke import Credential
    from orders.smoke import main as smoke

    credential = Credential(arguments.api_key_file, arguments.token_file)
    return smoke(
        arguments.url, wait=arguments.wait, credential=credential, ca_file=arguments.ca_file
    )
