"""`kubectl orders`: the command line. kubectl starts `kubectl-orders` with all its arguments."""

import argparse
import asyncio
import os
import re
import signal
import sys
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, NoReturn

from msgspec import json
from msgspec.structs import replace

from orders_common.settings import ConfigError
from orders_operator import __version__
from orders_operator.api.fields import SUBDOMAIN
from orders_operator.client.errors import KubeError
from orders_operator.client.kube import Kube
from orders_operator.load.settings import LoadSettings, add_flags, from_flags
from orders_operator.plugin import Refused
from orders_operator.plugin.commands import Command, Order, restart_all, send
from orders_operator.plugin.kubectl_proxy import Access, cluster, namespace
from orders_operator.plugin.load import load, way
from orders_operator.plugin.logs import Logs, writer
from orders_operator.plugin.status import status
from orders_operator.resources.labels import CANARY, STABLE

PROGRAM: Final = "kubectl orders"
USAGE_ERROR: Final = 2
INTERRUPTED: Final = 128 + signal.SIGINT
Run = Callable[[Kube, str, argparse.Namespace], Coroutine[Any, Any, int]]
"""Runs a command in a namespace; returns the exit status."""

_TAIL: Final = 100
_LONGEST_TAIL: Final = 1_000_000
_COMMANDS: Final[dict[Command, str]] = {
    "promote": "replace the stable revision, regardless of steps and analysis",
    "abort": "give up the new revision and go back to the stable one",
    "pause": "hold the canary at its step",
    "resume": "continue a paused canary",
    "retry": "try a failed revision again",
}
_EPILOG: Final = """\
examples:
  kubectl orders status -n shop             every OrderService of a namespace
  kubectl orders status orders -n shop -w   one rollout, live
  kubectl orders logs orders -n shop -f --canary
  kubectl orders promote orders -n shop
  kubectl orders restart --all -n shop
  kubectl orders load orders -n shop --rate 50 --duration 5m

exit status: 0 on success, 1 if something could not be done, 2 for wrong usage
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command; return its exit status."""
    # A parent that ignores it, as some shells and CI runners do, makes us ignore it too, and then
    # the exit status of kubectl is lost.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    parser = _parser()
    arguments = parser.parse_args(argv)
    if arguments.run is None:
        parser.print_help(sys.stderr)
        return USAGE_ERROR
    try:
        arguments.settings = _settings(arguments)
        return asyncio.run(_run(arguments))
    except ConfigError as error:
        sys.stderr.write(f"{PROGRAM} load: {error}\n")
        return USAGE_ERROR
    except (Refused, KubeError) as error:
        _complain(error)
        return 1
    except (KeyboardInterrupt, asyncio.CancelledError):
        return INTERRUPTED
    except BrokenPipeError:  # the reader of our output has closed it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1


def _complain(error: Refused | KubeError) -> None:
    text = error.message if isinstance(error, KubeError) else str(error)
    sys.stderr.write(f"{PROGRAM}: {' '.join(text.split())}\n")


async def _run(arguments: argparse.Namespace) -> int:
    task = asyncio.current_task()
    assert task is not None  # noqa: S101  this is one
    for number in (signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(number, task.cancel)
    run: Run = arguments.run
    if run is _load and arguments.url is not None:
        await load(arguments.settings, arguments.url, as_json=arguments.output == "json")
        return 0
    async with cluster(_access(arguments)) as kube:
        where = arguments.namespace or await namespace(_access(arguments))
        return await run(kube, where, arguments)


def _access(arguments: argparse.Namespace) -> Access:
    return Access(arguments.kubeconfig, arguments.context)


def _settings(arguments: argparse.Namespace) -> LoadSettings | None:
    """Read the flags of a load before anything else is done."""
    if arguments.run is not _load:
        return None
    if arguments.url is None and arguments.token_file is not None:
        raise ConfigError(
            "--token-file needs --url, as the API server's proxy drops Authorization;"
            " --api-key-file works without it"
        )
    given = argparse.Namespace(**vars(arguments) | {"url": arguments.url or "http://localhost"})
    return from_flags(given)


async def _status(kube: Kube, where: str, arguments: argparse.Namespace) -> int:
    as_json = arguments.output == "json"
    return await status(kube, where, arguments.name, watch=arguments.watch, as_json=as_json)


async def _command(kube: Kube, where: str, arguments: argparse.Namespace) -> int:
    order = await send(kube, where, arguments.name, arguments.command)
    if arguments.output == "json":
        sys.stdout.buffer.write(json.encode(order) + b"\n")
    else:
        watch = f"{PROGRAM} status {order.name} -n {where} -w"
        sys.stdout.write(f"{order.text}\nWatch it: {watch}\n")
    return 0


async def _restart(kube: Kube, where: str, arguments: argparse.Namespace) -> int:
    if not arguments.all:
        return await _command(kube, where, arguments)
    as_json, told, status = arguments.output == "json", list[Order](), 0
    async for outcome in restart_all(kube, where):
        if not isinstance(outcome, Order):
            _complain(outcome)
            status = 1
            continue
        told.append(outcome)
        if not as_json:
            sys.stdout.write(f"{outcome.text}\n")
            sys.stdout.flush()
    if as_json:
        sys.stdout.buffer.write(json.encode({"items": told}) + b"\n")
    elif told:
        sys.stdout.write(f"Watch them: {PROGRAM} status -n {where} -w\n")
    return status


async def _logs(kube: Kube, where: str, arguments: argparse.Namespace) -> int:
    write = writer(arguments.name, as_json=arguments.output == "json")
    logs = Logs(kube, where, arguments.name, write, arguments.track)
    pods = await logs.history(arguments.tail)
    if arguments.follow:
        await logs.follow()
    if not pods:
        raise Refused(f"{arguments.name} has no {arguments.track or ''} pods".replace("  ", " "))
    return 0


async def _load(kube: Kube, where: str, arguments: argparse.Namespace) -> int:
    name = arguments.name
    async with way(kube, _access(arguments), where, name) as url:
        settings = replace(arguments.settings, url=url)
        await load(settings, f"{where}/{name}", as_json=arguments.output == "json")
    return 0


class _Parser(argparse.ArgumentParser):
    """Reports an error in one line."""

    def error(self, message: str) -> NoReturn:
        self.exit(USAGE_ERROR, f"{self.prog}: {message}; see {self.prog} --help\n")


def _parser() -> argparse.ArgumentParser:
    parser = _Parser(
        prog=PROGRAM,
        description="Shows and controls the rollouts of OrderServices.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
        parents=[_common(None)],
    )
    parser.add_argument("--version", action="version", version=f"{PROGRAM} {__version__}")
    parser.set_defaults(run=None)
    commands = parser.add_subparsers(title="commands", metavar="COMMAND")

    def add(name: str, run: Run, text: str) -> argparse.ArgumentParser:
        described = f"{text[0].upper()}{text[1:]}."
        parents = [_common(argparse.SUPPRESS)]
        added = commands.add_parser(name, help=text, description=described, parents=parents)
        added.set_defaults(run=run, command=name)
        return added

    shown = add("status", _status, "show a rollout: revisions, pods, canary against stable")
    shown.add_argument(
        "name",
        nargs="?",
        type=_name,
        metavar="NAME",
        help="default: the only one of the namespace, or a list of all",
    )
    shown.add_argument("-w", "--watch", action="store_true", help="continue until Ctrl-C")
    for command, text in _COMMANDS.items():
        add(command, _command, text).add_argument("name", type=_name, metavar="NAME")
    restarted = add("restart", _restart, "replace all pods, as a change of the spec would")
    one_or_all = restarted.add_mutually_exclusive_group(required=True)
    one_or_all.add_argument("name", nargs="?", type=_name, metavar="NAME")
    one_or_all.add_argument(
        "--all", action="store_true", help="restart every OrderService of the namespace"
    )

    logs = add("logs", _logs, "print the logs of all pods, merged")
    logs.add_argument("name", type=_name, metavar="NAME")
    logs.add_argument("-f", "--follow", action="store_true", help="continue until Ctrl-C")
    logs.add_argument(
        "--tail",
        type=_tail,
        default=_TAIL,
        metavar="N",
        help=f"lines of each pod (default: {_TAIL})",
    )
    track = logs.add_mutually_exclusive_group()
    for name in (CANARY, STABLE):
        track.add_argument(
            f"--{name}", action="store_const", dest="track", const=name, help=f"{name} pods only"
        )
    placed = add("load", _load, "create and read orders at a rate and show how long it takes")
    placed.add_argument("name", type=_name, metavar="NAME")
    placed.add_argument("--url", help="URL of the API (default: through the API server)")
    add_flags(placed)
    return parser


def _common(default: str | None) -> _Parser:
    """Return the options that may stand before and after the command."""
    common = _Parser(add_help=False, argument_default=default)
    group = common.add_argument_group("cluster and output")
    group.add_argument(
        "-n", "--namespace", type=_name, help="namespace (default: that of the context)"
    )
    group.add_argument("--context", help="context of the kubeconfig (default: the current one)")
    group.add_argument(
        "--kubeconfig",
        metavar="FILE",
        help="path of the kubeconfig (default: as kubectl finds it)",
    )
    group.add_argument("-o", "--output", choices=["json"], help="print JSON for programs")
    return common


def _name(text: str) -> str:
    if re.fullmatch(SUBDOMAIN, text) is None:
        raise argparse.ArgumentTypeError(f"{text!r} is not the name of an object in a cluster")
    return text


def _tail(text: str) -> int:
    if not (text.isascii() and text.isdigit()) or int(text) > _LONGEST_TAIL:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number from 0 to {_LONGEST_TAIL}")
    return int(text)
