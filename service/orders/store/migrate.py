"""`orders migrate`: brings the schema up to the files, however many pods run it at once.

It reads the files, then applies the pending ones one by one (see `apply`). For as long as `--wait`
says it retries after an obstacle that may pass: a database that does not answer yet, a lost
connection, a locked table. Each attempt reads again what was applied, so none trusts older data.
"""

import asyncio
import json
import logging
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple, TypeVar

from psqlpy.exceptions import Error as DriverError

from orders import __version__
from orders.config import Config, Database
from orders.store import ledger
from orders.store.apply import TryAgain, apply_next
from orders.store.backoff import Backoff
from orders.store.connector import Connector
from orders.store.distribution import distribute
from orders.store.driver_errors import explain
from orders.store.migrations import DIRECTORY, MAY_PASS, Migration, MigrationError, read_all
from orders.store.schema import REQUIRED_VERSION

if TYPE_CHECKING:
    from psqlpy import Connection

    from orders.store.opening import Opened

__all__ = [
    "REQUIRED_VERSION",
    "MigrationError",
    "Outcome",
    "main",
    "migrate",
    "status",
]

LOCK_TIMEOUT: Final = 2.0
"""Seconds to wait for a table's lock; below REQUEST_TIMEOUT, as requests queue behind it."""
STATUS_PENDING: Final = 3
"""Exit code of `--status` when a file is still to be applied."""

log = logging.getLogger("orders.migrate")

ResultT = TypeVar("ResultT")
Connect = Callable[[], Awaitable["Connection"]]


class Outcome(NamedTuple):
    """What a run did: the schema's version now, and the names of the files it applied."""

    version: int
    applied: list[str]


def main(  # noqa: PLR0913  each is an option of the command
    config: Config,
    *,
    wait: float,
    status: bool,
    to: int | None,
    report: Path | None = None,
    directory: Path = DIRECTORY,
) -> int:
    """Run the command and return its exit code; errors are logged, the status is printed.

    `report` is a file that gets one JSON object with the release and the schema's version. It is
    the file from which Kubernetes reads a container's termination message, so that the container's
    status says what was reached.

    Returns:
        0 when the schema is as asked; 1 when a file failed or changed, the database did not
        answer, or the report cannot be written; 2 when `to` is not a number of a file; 3 from
        `status` when files are pending.
    """
    database = config.needed_database()
    try:
        if status:
            return asyncio.run(_print_status(database, wait=wait, to=to, directory=directory))
        outcome = asyncio.run(migrate(database, wait=wait, to=to, directory=directory))
        if report:
            report.write_text(json.dumps({"version": __version__, "schema": outcome.version}))
    except MigrationError as error:
        log.error("%s", error)  # noqa: TRY400  the message is the whole of it
        return error.exit_code
    except OSError as error:
        log.error("--report %s: %s", report, error.strerror)  # noqa: TRY400  the same
        return 1
    return 0


async def migrate(
    database: Config | Database | str,
    *,
    wait: float = 0.0,
    to: int | None = None,
    directory: Path = DIRECTORY,
    lock_timeout: float = LOCK_TIMEOUT,
) -> Outcome:
    """Apply what is pending; return what was done.

    Args:
        database: the database; a text is a DATABASE_URL.
        wait: seconds to go on trying when the database does not answer or a table is locked; if
            another run is at work, a minute at least.
        to: the number of the last file to apply; None for all.
        directory: the directory of the files.
        lock_timeout: seconds to wait for the lock of a table before making way for others.

    Raises:
        MigrationError: a file is wrong, changed or failed (nothing of it is applied; earlier files
            stay applied), or `wait` is over.
    """
    files = _files(directory, to)
    done: list[str] = []

    async def attempt(connection: "Connection", connect: Connect) -> list[ledger.Applied]:
        while file := await apply_next(
            connection, connect, files, to=to, lock_timeout=lock_timeout
        ):
            done.append(file.file)
        for table in await distribute(connection, lock_timeout=lock_timeout):
            log.info("%s is now distributed over the Citus workers", table)
        return await _read(connection)

    rows = await _insist(database, attempt, wait)
    if len(rows) > len(files):
        newest = rows[-1]
        log.info(
            "the database is at version %d (%s, applied by orders %s), which is newer than this "
            "release: nothing to do",
            newest.version,
            newest.name,
            newest.release,
        )
    else:
        log.info(
            "the schema is at version %d; migrations applied by this run: %d", len(rows), len(done)
        )
    return Outcome(len(rows), done)


async def status(
    database: Config | Database | str, *, wait: float = 0.0, directory: Path = DIRECTORY
) -> list[ledger.Entry]:
    """Compare the files with the database; changes nothing.

    Raises:
        MigrationError: a file is wrong, or the database did not answer within `wait` seconds.
    """

    async def attempt(connection: "Connection", _: Connect) -> list[ledger.Applied]:
        return await _read(connection)

    files = _files(directory, None)
    return ledger.compare(files, await _insist(database, attempt, wait))


async def _print_status(
    database: Database, *, wait: float, to: int | None, directory: Path
) -> int:
    _files(directory, to)
    entries = await status(database, wait=wait, directory=directory)
    width = max(len("name"), *(len(entry.name) for entry in entries))
    lines = [f"version  {'name':{width}}  state    applied at"]
    for version, name, state, applied_at in entries:
        at = applied_at.strftime("%Y-%m-%dT%H:%M:%SZ") if applied_at else "-"
        lines.append(f"{version:04}     {name:{width}}  {state:7}  {at}")
    sys.stdout.write("\n".join([*lines, ""]))
    if any(entry.state == "changed" for entry in entries):
        return 1
    waiting = [entry for entry in entries if entry.state == "pending"]
    return STATUS_PENDING if waiting and (to is None or waiting[0].version <= to) else 0


def _files(directory: Path, to: int | None) -> Sequence[Migration]:
    files = read_all(directory)
    if to is not None and not 1 <= to <= len(files):
        raise MigrationError(
            f"--to {to}: there is no such migration; allowed: 1 to {len(files)}", exit_code=2
        )
    return files


async def _read(connection: "Connection") -> list[ledger.Applied]:
    try:
        return await ledger.read(connection)
    except DriverError as error:
        raise TryAgain(f"cannot read orders_migrations: {explain(error)}") from error


async def _insist(
    database: Config | Database | str,
    attempt: Callable[["Connection", Connect], Awaitable[ResultT]],
    wait: float,
) -> ResultT:
    """Call `attempt` with a connection until it succeeds or the time is over."""
    connector = Connector(_database(database), statement_timeout=0)
    now = asyncio.get_running_loop().time
    started, told, backoff = now(), "", Backoff()
    backoff.pause()  # the first try had none
    while True:
        try:
            async with _connections(connector) as connect:
                return await attempt(await connect(), connect)
        except TryAgain as obstacle:
            left = started + max(wait, obstacle.wait) - now()
            if left <= 0:
                raise MigrationError(str(obstacle), exit_code=MAY_PASS) from obstacle
            if str(obstacle) != told:
                told = str(obstacle)
                log.info("%s; trying again for up to %.0f s", told, left)
        await asyncio.sleep(min(backoff.pause(), left))


def _database(place: Config | Database | str) -> Database:
    if isinstance(place, str):
        place = Config.from_env({"DATABASE_URL": place})
    return place.needed_database() if isinstance(place, Config) else place


@asynccontextmanager
async def _connections(connector: Connector) -> AsyncIterator[Connect]:
    """Yield a function that makes a connection; close all of them at the end."""
    made: list[Opened] = []

    async def connect() -> "Connection":
        try:
            made.append(await connector.open())
        except DriverError as error:
            raise TryAgain(f"cannot connect to {connector.where}: {explain(error)}") from error
        return made[-1].connection

    try:
        yield connect
    finally:
        for opened in made:
            opened.close()
