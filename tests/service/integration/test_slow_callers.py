"""Callers that announce a body and do not send it, and those that are slow when it drains."""

import asyncio
import json
import signal
import time
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

import httpx
import pytest

from tests.helpers.server import Server, eventually
from tests.helpers.table_locks import table_locked

Start = Callable[..., Server]

ORDER = b'{"item":"tea","quantity":1}'
LENGTH = b"Content-Length: 27\r\n"
CHUNKED = b"Transfer-Encoding: chunked\r\n"


class Slow(NamedTuple):
    """A request that has begun: what of its body is sent, and what is not yet."""

    path: str
    framing: bytes
    sent: bytes
    rest: bytes


STALLED = (
    Slow("/orders", LENGTH, b"", ORDER),
    Slow("/orders", LENGTH, ORDER[:9], ORDER[9:]),
    Slow(
        "/orders",
        CHUNKED,
        b"9\r\n" + ORDER[:9] + b"\r\n",
        b"12\r\n" + ORDER[9:] + b"\r\n0\r\n\r\n",
    ),
    Slow("/orders/batch", b"Content-Length: 29\r\n", b"", b"[" + ORDER + b"]"),
    Slow("/orders/batch", b"Content-Length: 29\r\n", b"[", ORDER + b"]"),
)


class Answer(NamedTuple):
    """What was answered, and when since the request began."""

    status: int
    headers: dict[str, str]
    body: bytes
    seconds: float


class Caller:
    """A connection on which a request has begun."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self._writer = writer
        self._started = time.perf_counter()

    async def send(self, data: bytes) -> None:
        """Send some more."""
        self._writer.write(data)
        await self._writer.drain()

    async def answer(self) -> Answer:
        """Read the answer."""
        told = await self._reader.readuntil(b"\r\n\r\n")
        seconds = time.perf_counter() - self._started
        first, *lines = told.decode().lower().strip().split("\r\n")
        headers = dict(line.split(": ", 1) for line in lines)
        body = await self._reader.readexactly(int(headers["content-length"]))
        return Answer(int(first.split()[1]), headers, body, seconds)


@asynccontextmanager
async def caller(server: Server, slow: Slow) -> AsyncIterator[Caller]:
    """Begin a request."""
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    found = Caller(reader, writer)
    head = f"POST {slow.path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    await found.send(head.encode() + slow.framing + b"\r\n" + slow.sent)
    try:
        yield found
    finally:
        writer.close()


async def told(server: Server, slow: Slow) -> Answer:
    """Begin a request, and do not go on."""
    async with caller(server, slow) as stalled:
        return await stalled.answer()


def refused(answer: Answer) -> bool:
    """Check that the answer says that the body was late, and that the connection ends."""
    document = json.loads(answer.body)
    assert (408, "close") == (answer.status, answer.headers["connection"])
    assert "application/problem+json" == answer.headers["content-type"]
    assert "https://orders.dev/problems/request-timeout" == document["type"]
    assert document["trace_id"] == answer.headers["x-correlation-id"]
    return True


async def test_a_body_that_does_not_come_is_answered_at_the_deadline(
    database_url: str, serve: Start
) -> None:
    """Within REQUEST_TIMEOUT its caller has 408, on every endpoint, and nothing is left over."""
    server = serve(DATABASE_URL=database_url, REQUEST_TIMEOUT="1")
    await get(f"{server.url}/docs")  # Litestar is loaded
    answers = await asyncio.gather(*(told(server, slow) for slow in STALLED))
    metrics = await get(f"{server.metrics_url}/metrics")

    assert all(refused(answer) for answer in answers)
    assert [] == [seconds for *_, seconds in answers if not 0.9 < seconds < 2.0]
    assert "http_server_active_requests 0" in metrics
    assert 'problem="request-timeout"' in metrics


@pytest.mark.parametrize("slow", [STALLED[0], STALLED[1], STALLED[4]])
async def test_a_body_that_does_not_come_does_not_hold_up_the_end(
    database_url: str, serve: Start, slow: Slow
) -> None:
    """At the end of the grace period its caller has 408, and the process ends with 0."""
    server = serve(DATABASE_URL=database_url, SHUTDOWN_GRACE_PERIOD="3")
    await get(f"{server.url}/docs")
    async with caller(server, slow) as stalled:
        await draining(server)
        answer = await stalled.answer()
        status = await asyncio.to_thread(server.process.wait, 10)

    assert refused(answer)
    assert answer.seconds < 4
    assert 0 == status


@pytest.mark.parametrize("slow", STALLED)
async def test_an_answer_says_that_it_is_the_last(
    database_url: str, serve: Start, slow: Slow
) -> None:
    """A request that began before SIGTERM and is answered after it has Connection: close."""
    server = serve(DATABASE_URL=database_url, SHUTDOWN_DELAY="1")
    async with caller(server, slow) as begun:
        await draining(server)
        await begun.send(slow.rest)
        answer = await begun.answer()

    assert (201, "close") == (answer.status, answer.headers["connection"])
    assert 0 == await asyncio.to_thread(server.process.wait, 10)


@pytest.mark.parametrize("slow", [STALLED[1], STALLED[2], STALLED[4]])
async def test_a_slow_body_leaves_less_for_the_database(
    database_url: str, serve: Start, slow: Slow
) -> None:
    """A deadline counts from the end of the head: who began first is told first, and in time."""
    server = serve(DATABASE_URL=database_url, REQUEST_TIMEOUT="2")
    await get(f"{server.url}/docs")
    quick = slow._replace(sent=slow.sent + slow.rest, rest=b"")
    async with table_locked(database_url), caller(server, slow) as first:
        await asyncio.sleep(0.5)  # what is told apart are times
        async with caller(server, quick) as second:
            await asyncio.sleep(0.5)
            await first.send(slow.rest)
            answers = await asyncio.gather(first.answer(), second.answer())

    assert [503, 503] == [answer.status for answer in answers]
    assert all(b"problems/deadline-exceeded" in answer.body for answer in answers)
    assert [] == [answer.seconds for answer in answers if not 1.9 < answer.seconds < 2.9]


async def get(url: str) -> str:
    """Return what is there."""
    async with httpx.AsyncClient() as client:
        return (await client.get(url)).text


async def draining(server: Server) -> None:
    """Send SIGTERM, and wait until it is noticed."""
    server.process.send_signal(signal.SIGTERM)
    await eventually(lambda: "draining for" in server.output())
