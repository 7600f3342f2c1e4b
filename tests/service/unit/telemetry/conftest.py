"""What the log is written to in tests."""

import json
import logging
import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from orders.config import Config
from orders.telemetry import logs
from orders.telemetry.logs import LogWriter


class Pipe:
    """A pipe in the place of stdout."""

    def __init__(self) -> None:
        self.reader, self.writer = os.pipe()
        self.dropped: list[int] = []

    def text(self) -> str:
        """Close our end; return all that was written."""
        self.close_writer()
        with os.fdopen(os.dup(self.reader), encoding="utf-8") as reader:
            return reader.read()

    def lines(self) -> list[dict[str, Any]]:
        """Return all that was written, line by line."""
        return [json.loads(line) for line in self.text().splitlines()]

    def close_writer(self) -> None:
        """Close the end that the service writes to."""
        if self.writer >= 0:
            os.close(self.writer)
            self.writer = -1

    def close(self) -> None:
        """Close both ends."""
        self.close_writer()
        os.close(self.reader)


@pytest.fixture
def pipe() -> Iterator[Pipe]:
    """Open a pipe."""
    made = Pipe()
    yield made
    made.close()


@pytest.fixture
def configure(pipe: Pipe) -> Iterator[Callable[..., LogWriter]]:
    """Send all logging to the pipe: `configure(LOG_LEVEL=...)`; afterwards it is as before."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    writers: list[LogWriter] = []

    def start(descriptor: int | None = None, **environ: str) -> LogWriter:
        target = pipe.writer if descriptor is None else descriptor
        writers.append(logs.configure(Config.from_env(environ), pipe.dropped.append, target))
        return writers[-1]

    yield start
    for writer in writers:
        writer.close()
    logging.captureWarnings(capture=False)
    root.handlers[:] = handlers
    root.setLevel(level)
