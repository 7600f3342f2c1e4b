"""`orders-operator load` as a process: what it prints, serves, writes and ends with."""

import asyncio
import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import msgspec
import pytest

from orders_operator.load.ledger import Entry
from orders_operator.load.report import Report
from tests.helpers.guarded_service import Closed
from tests.helpers.ports import free_port
from tests.helpers.server import Server, eventually

_LIMIT = 20.0

Start = Callable[..., "Process"]


class Process:
    """`orders-operator load` with some flags."""

    def __init__(self, folder: Path, *flags: str) -> None:
        self._errors = folder / "stderr"
        with self._errors.open("wb") as errors:
            self._process = subprocess.Popen(
                [sys.executable, "-W", "error", "-m", "orders_operator", "load", *flags],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )

    def send(self, number: signal.Signals) -> None:
        """Send a signal."""
        self._process.send_signal(number)

    def end(self) -> bytes:
        """Return what it printed, once it has ended with 0."""
        printed, _ = self._process.communicate(timeout=_LIMIT)
        assert (0, "") == (self._process.returncode, self._errors.read_text())
        return printed

    def kill(self) -> None:
        """End it if it runs."""
        self._process.kill()
        self._process.communicate()


@pytest.fixture
def load(tmp_path: Path, server: Server) -> Iterator[Callable[..., Process]]:
    """Start loads on the service."""
    started: list[Process] = []

    def start(*flags: str) -> Process:
        process = Process(tmp_path, "--url", server.url, *flags)
        started.append(process)
        return process

    yield start
    for process in started:
        process.kill()


def test_a_load_prints_its_report(load: Start, tmp_path: Path) -> None:
    """As JSON on stdout; the ledger is a file with a line for each order."""
    ledger = tmp_path / "ledger"
    printed = load("--rate", "50", "--duration", "1s", "--ledger", str(ledger)).end()
    report = msgspec.json.decode(printed, type=Report)
    entries = msgspec.json.Decoder(Entry).decode_lines(ledger.read_bytes())

    assert (50, 50, 0) == (report.requests, report.succeeded, report.failed)
    assert report.ended_at is not None
    assert {"startedAt", "refusalLatency", "endedAt"} <= set(json.loads(printed))
    assert report.acknowledged == len(entries) == len({entry.id for entry in entries})


@pytest.mark.parametrize("flag", ["--api-key-file", "--token-file"])
def test_a_load_shows_a_credential_over_tls(load: Start, closed: Closed, flag: str) -> None:
    """With every request, creates and reads, on each connection."""
    given = (flag, str(closed.credentials[flag]), "--ca-file", str(closed.authority.certificate))
    printed = load("--url", closed.url, *given, "--rate", "20", "--duration", "1s").end()
    report = msgspec.json.decode(printed, type=Report)
    assert (20, 20, 0) == (report.requests, report.succeeded, report.failed)


def test_a_load_without_its_credential_is_refused(load: Start, closed: Closed) -> None:
    """Each request is told as what it was answered with."""
    given = ("--ca-file", str(closed.authority.certificate))
    printed = load("--url", closed.url, *given, "--rate", "20", "--duration", "1s").end()
    report = msgspec.json.decode(printed, type=Report)
    assert (20, {"401": 20}) == (report.failed, report.statuses)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
async def test_a_signal_ends_a_load_with_a_report(
    load: Start, server: Server, number: signal.Signals
) -> None:
    """What it knows by then is not lost."""
    async with httpx.AsyncClient(base_url=server.url) as client:

        async def newest() -> bytes:
            return (await client.get("/orders?limit=1")).content

        before = await newest()
        process = load("--duration", "none", "--reads", "0")

        async def places_orders() -> bool:
            return before != await newest()

        await eventually(places_orders)
        process.send(number)
        printed = await asyncio.to_thread(process.end)
    report = msgspec.json.decode(printed, type=Report)

    assert report.ended_at is not None
    assert 0 < report.requests == report.succeeded == report.acknowledged


async def test_a_load_can_be_followed_and_stopped(load: Start) -> None:
    """Its port has the report and the ledger, while it runs and after, until SIGTERM."""
    port = free_port()
    process = load("--duration", "none", "--listen", f"127.0.0.1:{port}")
    async with httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client:

        async def report() -> Report:
            answer = await client.get("/report")
            assert "application/json" == answer.headers["content-type"].partition(";")[0]
            return msgspec.json.decode(answer.content, type=Report)

        async def listens() -> bool:
            try:
                return (await client.get("/healthz")).status_code == 200
            except httpx.TransportError:
                return False

        async def goes_on() -> bool:
            return (await report()).acknowledged > 10

        async def has_ended() -> bool:
            return (await report()).ended_at is not None

        await eventually(listens)
        await eventually(goes_on)
        running = await report()
        stopped = await client.post("/stop")
        await eventually(has_ended)
        ended = await report()
        ledger = await client.get("/ledger")
        process.send(signal.SIGTERM)
    printed = await asyncio.to_thread(process.end)
    entries = msgspec.json.Decoder(Entry).decode_lines(ledger.content)

    assert running.ended_at is None
    assert 202 == stopped.status_code
    assert running.acknowledged <= ended.acknowledged == len(entries)
    assert "application/x-ndjson" == ledger.headers["content-type"]
    assert b"" == printed
