"""The log writer: batches in order, never in the way, at the level that was asked for last."""

import asyncio
import contextlib
import json
import logging
import os
import time
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from orders.config import Config
from orders.telemetry import logs
from orders.telemetry.lines import JsonLines
from orders.telemetry.logs import LogWriter
from tests.server import eventually

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

log = logging.getLogger("orders.test")


class Pipe:
    """A pipe in the place of stdout."""

    def __init__(self) -> None:
        """Open it."""
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


def access(path: str = "/orders") -> tuple[Any, ...]:
    """Make the record of a request."""
    return (time.time(), "GET", path, "/orders", 200, 0.001, TRACE, SPAN, None)


def test_events_leave_as_json(configure: Callable[..., LogWriter], pipe: Pipe) -> None:
    """Whatever library logs, and every warning, is a line with its logger's name."""
    writer = configure()
    logging.getLogger("some.library").error("broken: %d", 7)
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        logging.captureWarnings(capture=True)
        warnings.warn("old", UserWarning, stacklevel=1)
    writer.close()

    first, second = pipe.lines()
    assert ("some.library", "ERROR", "broken: 7") == (
        first["logger"],
        first["level"],
        first["message"],
    )
    assert ("py.warnings", "WARNING") == (second["logger"], second["level"])


async def test_access_lines_are_batched_and_in_order(
    configure: Callable[..., LogWriter], pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Requests wait for a timer, which writes all of them at once, the first one first."""
    writer = configure()
    handed_over: list[int] = []
    hand_over = writer._hand_over

    def counted(chunk: bytes, lines: int) -> None:
        handed_over.append(lines)
        hand_over(chunk, lines)

    monkeypatch.setattr(writer, "_hand_over", counted)
    writer.attach(asyncio.get_running_loop())
    paths = [f"/orders/{number}" for number in range(100)]
    for path in paths:
        writer.access(access(path))
    assert [] == handed_over

    await eventually(lambda: bool(handed_over))
    assert [100] == handed_over
    writer.access(access("/last"))
    writer.close()

    assert [*paths, "/last"] == [line["path"] for line in pipe.lines()]


def test_warning_turns_access_lines_off(configure: Callable[..., LogWriter], pipe: Pipe) -> None:
    """Access lines are INFO: above it neither they nor other events of that level are written."""
    writer = configure(LOG_LEVEL="warn")
    writer.access(access("/quiet"))
    log.info("quiet")
    log.warning("loud")
    writer.set_level("DEBUG")
    writer.access(access("/seen"))
    log.debug("seen")
    writer.close()

    assert ["loud", "seen", "GET /orders 200"] == [line["message"] for line in pipe.lines()]


@pytest.mark.parametrize("kind", ["event", "access"])
def test_a_reader_that_stops_costs_nothing(
    kind: str, pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When nobody reads, the caller goes on, lines are dropped and counted, the end is quick."""
    monkeypatch.setattr(logs, "BUFFER_BYTES", 256 * 1024)
    monkeypatch.setattr(logs, "CLOSE_SECONDS", 0.05)
    writer = LogWriter(JsonLines(), pipe.writer, pipe.dropped.append)
    event = logging.LogRecord("orders.x", logging.INFO, __file__, 1, "x" * 200, (), None)
    total, per_call = 5_000, 10 if kind == "access" else 1
    started = time.monotonic()
    for _ in range(total // per_call):
        if kind == "access":
            for _ in range(per_call):
                writer.access(access())
            writer.flush()
        else:
            writer.event(event)
    writer.close()
    assert time.monotonic() - started < 5

    assert sum(pipe.dropped) > 0
    assert writer._waiting <= 256 * 1024
    # Once somebody reads again, what was kept comes out whole.
    with os.fdopen(os.dup(pipe.reader), "rb") as readable:
        kept = 0
        while kept < total - sum(pipe.dropped):
            kept += readable.readline().count(b"\n")
        writer._thread.join()
        pipe.close_writer()
        assert b"" == readable.read()


def test_a_reader_that_is_gone_is_counted(pipe: Pipe) -> None:
    """A closed pipe loses the lines, not the service."""
    broken, descriptor = os.pipe()
    os.close(broken)
    writer = LogWriter(JsonLines(), descriptor, pipe.dropped.append)
    for _ in range(3):
        writer.access(access())
    writer.close()
    os.close(descriptor)

    assert [3] == pipe.dropped


def test_a_non_blocking_stdout_loses_nothing(pipe: Pipe) -> None:
    """If somebody who shares stdout made it non-blocking, the thread waits until it takes more."""
    os.set_blocking(pipe.writer, False)
    writer = LogWriter(JsonLines(), pipe.writer, pipe.dropped.append)
    paths = [f"/orders/{number:0200}" for number in range(1000)]
    for path in paths:
        writer.access(access(path))
    writer.flush()
    with os.fdopen(os.dup(pipe.reader), "rb") as reader:
        found = [json.loads(reader.readline())["path"] for _ in paths]
    writer.close()

    assert paths == found
    assert [] == pipe.dropped


def test_a_closed_writer_takes_what_comes_too_late(pipe: Pipe) -> None:
    """Lines after the end are lost without an error."""
    writer = LogWriter(JsonLines(), pipe.writer, pipe.dropped.append)
    writer.close()
    writer.access(access())
    writer.event(logging.LogRecord("orders.x", logging.INFO, __file__, 1, "late", (), None))
    writer.close()

    assert [] == pipe.lines()


def test_a_record_that_cannot_be_formatted_fails_nobody(
    configure: Callable[..., LogWriter],
    pipe: Pipe,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """Wrong arguments are reported on stderr, the caller goes on."""
    writer = configure()
    log.error("%d", "no number")
    log.error("next")
    writer.close()

    assert ["next"] == [line["message"] for line in pipe.lines()]
    assert "--- Logging error ---" in capsys.readouterr().err


@pytest.fixture
def terminal() -> Iterator[tuple[int, int]]:
    """Open a pseudo-terminal: what is written to the second comes out of the first."""
    leader, follower = os.openpty()
    yield leader, follower
    os.close(leader)
    os.close(follower)


@pytest.mark.parametrize(
    ("environ", "no_color", "expected"),
    [
        ({}, "", "\x1b[33mWARNING\x1b[0m careful"),
        ({}, "1", " WARNING careful"),
        ({"LOG_FORMAT": "text"}, "", "\x1b[33mWARNING\x1b[0m careful"),
        ({"LOG_FORMAT": "json"}, "", '"message":"careful"'),
    ],
)
def test_a_terminal_is_for_people(  # noqa: PLR0913  three of them are fixtures
    environ: dict[str, str],
    no_color: str,
    expected: str,
    configure: Callable[..., LogWriter],
    terminal: tuple[int, int],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """On a terminal lines are coloured text, unless NO_COLOR or LOG_FORMAT object."""
    monkeypatch.setenv("NO_COLOR", no_color)
    leader, follower = terminal
    writer = configure(follower, **environ)
    log.warning("careful")
    writer.close()

    assert expected in os.read(leader, 4096).decode()


def test_text_in_a_file_has_no_colour(configure: Callable[..., LogWriter], pipe: Pipe) -> None:
    """LOG_FORMAT=text without a terminal is plain."""
    writer = configure(LOG_FORMAT="text")
    log.warning("careful")
    writer.close()

    assert pipe.text().endswith(" WARNING careful\n")


@pytest.fixture
async def follow(
    configure: Callable[..., LogWriter], monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Callable[[Path], LogWriter]]:
    """Watch a level file, quickly: `follow(path)`; LOG_LEVEL is ERROR."""
    monkeypatch.setattr(logs, "WATCH_SECONDS", 0.001)
    tasks: list[asyncio.Task[None]] = []

    def start(path: Path) -> LogWriter:
        writer = configure(LOG_LEVEL="ERROR")
        tasks.append(asyncio.create_task(logs.watch_level(writer, str(path), "ERROR")))
        return writer

    yield start
    for task in tasks:
        assert not task.done()
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


async def level_is(level: int) -> None:
    """Wait until this is the level."""
    await eventually(lambda: logging.getLogger().level == level)


async def test_the_level_follows_a_file(
    follow: Callable[[Path], LogWriter], tmp_path: Path
) -> None:
    """The file may come, change and go; without it LOG_LEVEL counts again."""
    path = tmp_path / "level"
    follow(path)
    await level_is(logging.ERROR)
    path.write_text("DEBUG\n", encoding="utf-8")
    await level_is(logging.DEBUG)
    path.write_text(" warn ", encoding="utf-8")
    await level_is(logging.WARNING)
    path.unlink()
    await level_is(logging.ERROR)


async def test_the_level_follows_a_config_map(
    follow: Callable[[Path], LogWriter], tmp_path: Path
) -> None:
    """Kubernetes swaps a link to a folder; the level changes with it."""
    for level in ("DEBUG", "WARN"):
        (tmp_path / level).mkdir()
        (tmp_path / level / "level").write_text(level, encoding="utf-8")
    (tmp_path / "..data").symlink_to("DEBUG")
    (tmp_path / "level").symlink_to("..data/level")
    follow(tmp_path / "level")
    await level_is(logging.DEBUG)
    (tmp_path / "..new").symlink_to("WARN")
    (tmp_path / "..new").rename(tmp_path / "..data")
    await level_is(logging.WARNING)


@pytest.mark.parametrize("content", [b"LOUD", b"", b"\xff", b"x" * 100_000])
async def test_a_bad_level_is_said_once_and_ignored(
    content: bytes, follow: Callable[[Path], LogWriter], tmp_path: Path, pipe: Pipe
) -> None:
    """The level stays what it was, and one short line says what is wrong."""
    path, swap = tmp_path / "level", tmp_path / "swap"
    path.write_text("INFO", encoding="utf-8")
    writer = follow(path)
    await level_is(logging.INFO)
    swap.write_bytes(content)
    swap.rename(path)
    with os.fdopen(os.dup(pipe.reader), "rb") as reader:
        line = await asyncio.to_thread(reader.readline)
        assert logging.INFO == logging.getLogger().level
        swap.write_text("DEBUG", encoding="utf-8")
        swap.rename(path)
        await level_is(logging.DEBUG)
        writer.close()
        pipe.close_writer()
        [rest] = reader.read().splitlines()

    assert "LOG_LEVEL_FILE: the level is now DEBUG" == json.loads(rest)["message"]
    assert json.loads(line)["message"].startswith(f"LOG_LEVEL_FILE {path} ")
    assert len(line) < 600


async def test_a_folder_is_no_level(
    follow: Callable[[Path], LogWriter], tmp_path: Path, pipe: Pipe
) -> None:
    """A path that cannot be read is said, and the level stays."""
    writer = follow(tmp_path)
    writer.set_level("INFO")
    with os.fdopen(os.dup(pipe.reader), "rb") as reader:
        line = await asyncio.to_thread(reader.readline)

    assert "cannot be read; the level stays" in json.loads(line)["message"]
