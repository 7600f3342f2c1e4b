"""Logs on stdout, written off the hot path.

Access lines come many at a time, and a thread writes them, so that a slow reader of stdout costs
the service nothing. If the reader stops, lines are dropped and counted. The level comes from
LOG_LEVEL, and from LOG_LEVEL_FILE while that exists.
"""

import asyncio
import logging
import os
import select
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from queue import SimpleQueue
from typing import TYPE_CHECKING, Final

from orders.telemetry.formatters import JsonFormatter, Record, TextFormatter

if TYPE_CHECKING:
    from orders.config import Config

WATCH_SECONDS: Final = 1.0
"""How often LOG_LEVEL_FILE is checked."""
BUFFER_BYTES: Final = 4 * 1024 * 1024
"""What may wait for a blocked stdout."""
CLOSE_SECONDS: Final = 2.0
"""How long the end waits for a blocked stdout."""

_LEVELS: Final = {
    "DEBUG": "DEBUG", "INFO": "INFO", "NOTICE": "INFO", "WARN": "WARNING", "WARNING": "WARNING",
    "ERROR": "ERROR", "FATAL": "ERROR",
}  # fmt: skip

log = logging.getLogger("orders.telemetry")


class LogWriter:
    """Takes records of the log and of requests, and writes their lines.

    Each kind keeps its order; an access line waits for others, so a line of the log may overtake
    it. `time` says what came first.
    """

    def __init__(
        self,
        formatter: JsonFormatter | TextFormatter,
        descriptor: int,
        on_dropped: Callable[[int], None],
    ) -> None:
        """Start the writing thread."""
        self._formatter = formatter
        self._descriptor = descriptor
        self._on_dropped = on_dropped
        self._access_on = True
        self._chunks: SimpleQueue[bytes | None] = SimpleQueue()
        self._lock = threading.Lock()
        self._waiting = 0
        self._thread = threading.Thread(target=self._write, name="log-writer", daemon=True)
        self._thread.start()

    def access(self, records: Sequence[Record]) -> None:
        """Write the lines of requests."""
        if self._access_on:
            self._hand_over(self._formatter.access(records), len(records))

    def event(self, record: logging.LogRecord) -> None:
        """Write a log record's line."""
        self._hand_over(self._formatter.event(record), 1)

    def set_level(self, level: str) -> None:
        """Log from this level on; access lines are INFO."""
        logging.getLogger().setLevel(level)
        self._access_on = logging.getLogger().isEnabledFor(logging.INFO)

    def close(self) -> None:
        """Write what is left, within two seconds."""
        self._chunks.put(None)
        self._thread.join(CLOSE_SECONDS)

    def _hand_over(self, chunk: bytes, lines: int) -> None:
        with self._lock:
            fits = self._waiting + len(chunk) <= BUFFER_BYTES
            if fits:
                self._waiting += len(chunk)
        if fits:
            self._chunks.put(chunk)
        else:
            self._on_dropped(lines)

    def _write(self) -> None:
        while (chunk := self._chunks.get()) is not None:
            try:
                self._write_all(chunk)
            except OSError:  # nobody reads any more: nothing is left to tell
                self._on_dropped(chunk.count(b"\n"))
            with self._lock:
                self._waiting -= len(chunk)

    def _write_all(self, chunk: bytes) -> None:
        view = memoryview(chunk)
        while view:
            try:
                view = view[os.write(self._descriptor, view) :]
            except BlockingIOError:  # somebody who shares stdout made it non-blocking
                select.select([], [self._descriptor], [])


class _Handler(logging.Handler):
    """The root handler: every library's records leave through the writer."""

    def __init__(self, writer: LogWriter) -> None:
        super().__init__()
        self._writer = writer

    def emit(self, record: logging.LogRecord) -> None:
        try:
            self._writer.event(record)
        except Exception:  # noqa: BLE001  logging must not fail its caller
            self.handleError(record)


def configure(
    config: "Config",
    on_dropped: Callable[[int], None] = lambda _: None,
    descriptor: int | None = None,
) -> LogWriter:
    """Send all logging to stdout, as the configuration says; return what writes it."""
    target = sys.stdout.fileno() if descriptor is None else descriptor
    terminal = os.isatty(target)
    text = config.log_format == "text" or (config.log_format == "auto" and terminal)
    colour = text and terminal and not os.environ.get("NO_COLOR")
    mask = config.secrets().masked
    formatter = TextFormatter(mask, colour=colour) if text else JsonFormatter(mask)
    writer = LogWriter(formatter, target, on_dropped)
    root = logging.getLogger()
    root.handlers[:] = [_Handler(writer)]
    logging.captureWarnings(capture=True)
    writer.set_level(config.log_level)
    return writer


async def watch_level(writer: LogWriter, path: str, configured: str) -> None:
    """Follow a file that names a level, without end; without the file `configured` applies.

    The file is read again when its identity, size or time changes, which is what the swap of a
    Kubernetes ConfigMap's link does.
    """
    seen: object = ()
    while True:
        try:
            status = os.stat(path)  # noqa: PTH116  one call a second
            found: object = (status.st_ino, status.st_mtime_ns, status.st_size)
        except OSError:
            found = None
        if found != seen:
            _follow(writer, path, configured, exists=found is not None)
            seen = found
        await asyncio.sleep(WATCH_SECONDS)


def _follow(writer: LogWriter, path: str, configured: str, *, exists: bool) -> None:
    if not exists:
        writer.set_level(configured)
        return
    try:
        text = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, ValueError):
        log.warning("LOG_LEVEL_FILE %s cannot be read; the level is unchanged", path)
        return
    level = _LEVELS.get(text.upper())
    if level is None:
        allowed = ", ".join(_LEVELS)
        log.warning(
            "LOG_LEVEL_FILE %s is %.80r; allowed: %s; the level is unchanged", path, text, allowed
        )
        return
    if level != logging.getLevelName(logging.getLogger().level):
        log.warning("LOG_LEVEL_FILE: the level is now %s", text.upper())  # while it can be heard
    writer.set_level(level)
