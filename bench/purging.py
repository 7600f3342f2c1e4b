"""Runs `orders purge` beside a load, to measure what the load notices of it.

The table has as many newer orders as any other, which are read, and older ones, each with an
Idempotency-Key, which the purge deletes at its default pace: more than it can while a load lasts.
"""

import os
import subprocess
import time
from types import TracebackType
from typing import Final, Self

from bench import paths, process
from bench.database import Database, older_than
from bench.process import ServerError
from bench.servers import Server

_START_LIMIT: Final = 30.0
_LOG: Final = paths.LOGS / "purge.log"


class Purge:
    """A purge of the older orders; a context manager."""

    def __init__(self, database: Database, server: Server, rows: int, older: int) -> None:
        """Take the database of `rows` rows; nothing is deleted before the context is entered."""
        self._database = database
        self._server = server
        self._rows = rows
        self._before = older_than(older)

    def __enter__(self) -> Self:
        """Start it, and wait until it has deleted its first batch."""
        older = self._count()
        environment = {**os.environ, "DATABASE_URL": self._database.url(self._rows)}
        command = [self._server.program, "-m", "orders", "purge", "--delete"]
        paths.LOGS.mkdir(parents=True, exist_ok=True)
        with _LOG.open("wb") as log:
            self._process = subprocess.Popen(
                [*command, "--before", self._before.isoformat()],
                cwd=paths.ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
            )
        try:
            self._await_less_than(older)
        except BaseException:
            process.stop(self._process)
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        value: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        """End it, wherever it is."""
        process.stop(self._process)

    def left(self) -> int:
        """Return how many older orders are left; raise ServerError unless the purge goes on."""
        left = self._count()
        if self._process.poll() is not None:
            raise ServerError(
                f"`orders purge` ended before the load, with {left:,} older orders left;"
                f" see {_log_name()}"
            )
        return left

    def _count(self) -> int:
        return self._database.count_before(self._rows, self._before)

    def _await_less_than(self, older: int) -> None:
        deadline = time.monotonic() + _START_LIMIT
        while self.left() >= older:
            if time.monotonic() > deadline:
                raise ServerError(f"`orders purge` deleted nothing; see {_log_name()}")
            time.sleep(0.01)


def _log_name() -> str:
    return str(_LOG.relative_to(paths.ROOT))
