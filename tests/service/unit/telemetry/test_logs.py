"""The log writer: batches in order, never in the way."""

import json
import logging
import os
import time
import warnings
from collections.abc import Callable, Iterator

import pytest

from orders.telemetry import logs
from orders.telemetry.formatters import JsonFormatter, Record
from orders.telemetry.logs import LogWriter
from tests.service.unit.telemetry.conftest import Pipe

TRACE, SPAN = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"

log = logging.getLogger("orders.test")


def access(path: str = "/orders") -> Record:
    """Make the record of a request."""
    return Record(
        time.time(), "GET", path, "/orders", 200, 0.001, TRACE, SPAN, None, sampled=False
    )


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


def test_warning_turns_access_lines_off(configure: Callable[..., LogWriter], pipe: Pipe) -> None:
    """Access lines are INFO: above it neither they nor other events of that level are written."""
    writer = configure(LOG_LEVEL="warn")
    writer.access([access("/quiet")])
    log.info("quiet")
    log.warning("loud")
    writer.set_level("DEBUG")
    writer.access([access("/seen")])
    log.debug("seen")
    writer.close()

    assert ["loud", "GET /orders 200", "seen"] == [line["message"] for line in pipe.lines()]


@pytest.mark.parametrize("kind", ["event", "access"])
def test_a_reader_that_stops_costs_nothing(
    kind: str, pipe: Pipe, monkeypatch: pytest.MonkeyPatch
) -> None:
    """When nobody reads, the caller goes on, lines are dropped and counted, the end is quick."""
    monkeypatch.setattr(logs, "BUFFER_BYTES", 256 * 1024)
    monkeypatch.setattr(logs, "CLOSE_SECONDS", 0.05)
    writer = LogWriter(JsonFormatter(), pipe.writer, pipe.dropped.append)
    event = logging.LogRecord("orders.x", logging.INFO, __file__, 1, "x" * 200, (), None)
    total, per_call = 5_000, 10 if kind == "access" else 1
    started = time.monotonic()
    for _ in range(total // per_call):
        if kind == "access":
            writer.access([access()] * per_call)
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
    writer = LogWriter(JsonFormatter(), descriptor, pipe.dropped.append)
    writer.access([access()] * 3)
    writer.close()
    os.close(descriptor)

    assert [3] == pipe.dropped


def test_a_non_blocking_stdout_loses_nothing(pipe: Pipe) -> None:
    """If somebody who shares stdout made it non-blocking, the thread waits until it takes more."""
    os.set_blocking(pipe.writer, False)
    writer = LogWriter(JsonFormatter(), pipe.writer, pipe.dropped.append)
    paths = [f"/orders/{number:0200}" for number in range(1000)]
    writer.access([access(path) for path in paths])
    with os.fdopen(os.dup(pipe.reader), "rb") as reader:
        found = [json.loads(reader.readline())["path"] for _ in paths]
    writer.close()

    assert paths == found
    assert [] == pipe.dropped


def test_a_closed_writer_takes_what_comes_too_late(pipe: Pipe) -> None:
    """Lines after the end are lost without an error."""
    writer = LogWriter(JsonFormatter(), pipe.writer, pipe.dropped.append)
    writer.close()
    writer.access([access()])
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
