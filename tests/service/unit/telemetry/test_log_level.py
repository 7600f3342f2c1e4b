"""The level of the log, which a file may change while the service runs."""

import asyncio
import contextlib
import json
import logging
import os
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from orders.telemetry import logs
from orders.telemetry.logs import LogWriter
from tests.helpers.server import eventually
from tests.service.unit.telemetry.conftest import Pipe

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

log = logging.getLogger("orders.test")


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
    """A path that cannot be read is said, and the level is unchanged."""
    writer = follow(tmp_path)
    writer.set_level("INFO")
    with os.fdopen(os.dup(pipe.reader), "rb") as reader:
        line = await asyncio.to_thread(reader.readline)

    assert "cannot be read; the level is unchanged" in json.loads(line)["message"]
