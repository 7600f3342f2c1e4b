"""`orders dev`: everything for trying the service out, in one command.

It uses the configured database, or starts PostgreSQL from the wheel with its data under the
current directory. Then it migrates, and serves on this machine only. Ctrl-C ends the service
first, then PostgreSQL, each after it has finished what it had begun. `ORDERS_DATA_DIR` names a
folder for the data other than `.orders`.
"""

import asyncio
import contextlib
import fcntl
import json
import logging
import signal
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Final, NoReturn

import uvloop

from orders.config import Config
from orders.embedded import EmbeddedError, EmbeddedPostgres
from orders.model import RESOURCE, example
from orders.ports import PortError, check_ports
from orders.serve import serve
from orders.store.migrate import MigrationError, migrate
from orders.store.process_exit import exit_now
from orders.telemetry import logs

if TYPE_CHECKING:
    from types import FrameType

DEFAULTS: Final = {"HTTP_HOST": "127.0.0.1", "SHUTDOWN_DELAY": "0"}
"""The defaults that differ from those of `orders serve`."""
DATA_DIR_VARIABLE: Final = "ORDERS_DATA_DIR"
DATA_DIR: Final = ".orders"

_WAIT: Final = 5.0
_GREETING_PAUSE: Final = 0.05

log = logging.getLogger("orders.dev")


class DevError(Exception):
    """Something stands in the way; the message is one line for the person at the terminal."""


def main(environ: Mapping[str, str]) -> NoReturn:
    """Run until Ctrl-C, SIGTERM, or the terminal is closed, then end the process.

    Raises:
        ConfigError: a variable's value is not allowed.
    """
    given = DEFAULTS | {name: value for name, value in environ.items() if value}
    config = Config.from_env(given)
    _end_alike()
    # Some shells and CI runners ignore it. This process, and PostgreSQL's programs after it, would
    # inherit that, and could not learn how their own children ended.
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    status = 1
    try:
        check_ports(config)
        with contextlib.ExitStack() as stack:
            if config.database is None:
                url = stack.enter_context(_embedded(config, _folder(given)))
                config = Config.from_env(given | {"DATABASE_URL": url})
            status = uvloop.run(_run(config))
    except SystemExit:
        status = 0
    except (DevError, EmbeddedError, MigrationError, PortError) as error:
        sys.stderr.write(f"orders: {error}\n")
    exit_now(status)


async def _run(config: Config) -> int:
    with contextlib.closing(logs.configure(config)):
        await migrate(config, wait=_WAIT)

    def greet_last() -> None:
        """Print the greeting after the lines of the log that are on their way to stdout."""
        asyncio.get_running_loop().call_later(_GREETING_PAUSE, _greet, config)

    return await serve(config, on_ready=greet_last)


@contextlib.contextmanager
def _embedded(config: Config, folder: Path) -> Iterator[str]:
    """Run PostgreSQL for as long as the context lasts; yield the database's URL."""
    with _only_one(folder):
        server = EmbeddedPostgres(folder)
        try:
            with contextlib.closing(logs.configure(config)):
                started = time.perf_counter()
                server.start()
                seconds = time.perf_counter() - started
                log.info("PostgreSQL started in %.2f s, data in %s", seconds, folder / "postgres")
            yield server.url()
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            server.stop()


@contextlib.contextmanager
def _only_one(folder: Path) -> Iterator[IO[str]]:
    """Hold the folder's lock, which the system gives up for a process that is killed."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        lock = (folder / "lock").open("w", encoding="utf-8")
    except OSError as error:
        raise DevError(f"{error.filename}: {error.strerror}") from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise DevError(
                f"another `orders dev` has the data in {folder}; stop it, or set"
                f" {DATA_DIR_VARIABLE} to another folder"
            ) from None
        yield lock


def _end_alike() -> None:
    """Have SIGTERM and a closed terminal end this as Ctrl-C does, at any moment.

    Until the server has its own handlers, a signal raises SystemExit and not KeyboardInterrupt,
    after which `subprocess` would assume that the children had the signal too.
    """

    def leave(_number: int, _frame: "FrameType | None") -> NoReturn:
        raise SystemExit

    signal.signal(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, leave)
    signal.signal(signal.SIGHUP, lambda _number, _frame: signal.raise_signal(signal.SIGTERM))


def _greet(config: Config) -> None:
    """Print the addresses of the service, which takes requests now."""
    host = {"0.0.0.0": "127.0.0.1", "::": "127.0.0.1"}.get(config.http_host, config.http_host)  # noqa: S104
    api = f"{config.scheme}://{host}:{config.http_port}"
    metrics = f"http://{host}:{config.metrics_port}"
    sys.stdout.write(
        f"\n  API      {api}{RESOURCE}\n"
        f"  docs     {api}/docs\n"
        f"  metrics  {metrics}/metrics\n"
        f"  health   {api}/readyz?verbose\n"
        f"\n  curl -i {api}{RESOURCE} -H 'Content-Type: application/json' \\\n"
        f"    -d '{json.dumps(example())}'\n"
        "\n  Ctrl-C stops everything.\n\n"
    )
    sys.stdout.flush()


def _folder(environ: Mapping[str, str]) -> Path:
    """Return where the data is, relative to here if it can be: that is what people read."""
    folder = Path(environ.get(DATA_DIR_VARIABLE, DATA_DIR))
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder
