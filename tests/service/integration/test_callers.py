"""Connections of callers: how long one may be idle, and that no number of them keeps work out."""

import asyncio
import contextlib
import re
import socket
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.helpers.raw_http import JSON, Request, exchange
from tests.helpers.server import Server, eventually
from tests.helpers.table_locks import table_locked

Start = Callable[..., Server]

ORDER = b'{"item":"tea","quantity":1}'
READ = b"GET /orders/0199d2f6-7c1e-7b52-9d5c-0f6b8a1c2e3d HTTP/1.1\r\nHost: x\r\n\r\n"
DESCRIPTORS = 400
"""The hard limit; 256 of them are kept for other things than callers."""
CALLERS = DESCRIPTORS - 256


class NarrowServer(Server):
    """The service with few descriptors, of which it was given even fewer to begin with."""

    program = (
        "-c",
        f"""
import resource, sys
from orders import cli
resource.setrlimit(resource.RLIMIT_NOFILE, (128, {DESCRIPTORS}))
sys.exit(cli.main())
""",
    )


@pytest.fixture
def narrow(tmp_path: Path, database_url: str) -> Iterator[NarrowServer]:
    """Start one; at the end it must stop as it should."""
    server = NarrowServer(tmp_path / "serve.log", DATABASE_URL=database_url, REQUEST_TIMEOUT="3")
    server.wait_for()
    yield server
    assert 0 == server.stop(), server.output()


@contextlib.asynccontextmanager
async def idle_callers(server: Server, count: int, sent: bytes) -> AsyncIterator[None]:
    """Have connections on which something was sent, and no more."""
    with contextlib.ExitStack() as stack:
        for _ in range(count):
            caller = stack.enter_context(socket.create_connection(("127.0.0.1", server.port), 15))
            caller.sendall(sent)
        yield


@contextlib.asynccontextmanager
async def slow_callers(*ports: tuple[int, int]) -> AsyncIterator[None]:
    """Have so many connections to ports on which a head comes byte by byte, for ever."""
    callers: list[socket.socket] = []

    async def go_on() -> None:
        while True:
            for caller in callers:
                with contextlib.suppress(OSError):  # it was closed, or is not accepted yet
                    caller.send(b"a")
            await asyncio.sleep(0.1)

    with contextlib.ExitStack() as stack:
        for port, count in ports:
            for _ in range(count):
                caller = socket.create_connection(("127.0.0.1", port), 15)
                callers.append(stack.enter_context(caller))
                caller.sendall(READ[:-2] + b"X: ")
                caller.setblocking(False)  # noqa: FBT003  its name says it
        going = asyncio.ensure_future(go_on())
        yield
        going.cancel()


async def metric(server: Server, sample: str) -> float:
    """Return what a sample is now."""
    async with httpx.AsyncClient(timeout=15) as client:
        text = (await client.get(f"{server.metrics_url}/metrics")).text
    return float(re.findall(rf"^{re.escape(sample)} (\S+)$", text, re.MULTILINE)[0])


async def create(server: Server) -> int:
    """Create an order on a new connection; return the status."""
    request = Request("POST", "/orders", (JSON,), (ORDER,))
    return (await asyncio.to_thread(exchange, server.port, request)).status


@pytest.mark.parametrize("sent", [b"", READ, READ[:20]], ids=["fresh", "answered", "unfinished"])
async def test_a_connection_is_closed_after_the_time_out(
    serve: Start, database_url: str, sent: bytes
) -> None:
    """HTTP_KEEP_ALIVE_TIMEOUT after its last answer, or without a whole head, it is closed."""
    server = serve(DATABASE_URL=database_url, HTTP_KEEP_ALIVE_TIMEOUT="1")
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(sent)
    async with asyncio.timeout(15):
        told = await reader.read()
    writer.close()

    assert (1 if sent == READ else 0) == told.count(b"HTTP/1.1 404")


async def test_a_request_may_take_longer_than_a_connection_may_be_idle(
    serve: Start, database_url: str
) -> None:
    """The clock of idle connections stands still meanwhile, also on a connection that was idle."""
    server = serve(DATABASE_URL=database_url, HTTP_KEEP_ALIVE_TIMEOUT="1")
    create = b"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
    create += b"Content-Length: %d\r\n\r\n%b" % (len(ORDER), ORDER)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    statuses = []
    async with asyncio.timeout(15):
        for sent in (READ, create, READ):
            async with table_locked(database_url) if sent == create else contextlib.nullcontext():
                writer.write(sent)
                if sent == create:
                    await asyncio.sleep(1.5)  # what is told apart are times
            head = await reader.readuntil(b"\r\n\r\n")
            statuses.append(int(head.split()[1]))
            await reader.readexactly(int(re.findall(rb"content-length: (\d+)", head)[0]))
    writer.close()

    assert [404, 201, 404] == statuses


@pytest.mark.skipif(sys.platform != "linux", reason="connections are counted on Linux only")
@pytest.mark.parametrize("sent", [b"", READ, READ[:20]], ids=["fresh", "answered", "unfinished"])
async def test_a_flood_of_idle_connections_keeps_nobody_out(
    narrow: NarrowServer, sent: bytes
) -> None:
    """Orders are taken, probes answered, and it is one line in the log, and a metric."""
    async with (
        idle_callers(narrow, CALLERS + 40, sent),
        httpx.AsyncClient(timeout=15) as client,
    ):
        probe = await client.get(f"{narrow.metrics_url}/livez")
        statuses = await asyncio.gather(*(create(narrow) for _ in range(10)))
        closed = await metric(narrow, 'orders_http_connections_closed_total{port="api"}')

    assert 200 == probe.status_code
    assert [201] * 10 == statuses
    assert closed > 0
    assert 1 == narrow.output().count("that were idle; more may follow")


@pytest.mark.skipif(sys.platform != "linux", reason="connections are counted on Linux only")
async def test_a_flood_of_heads_that_come_slowly_keeps_nobody_out(
    serve: Start, database_url: str
) -> None:
    """A head that has been coming for longer than a request may take makes room for others."""
    server = serve(DATABASE_URL=database_url, REQUEST_TIMEOUT="1", MEMORY_LIMIT="100Mi")
    few, many = [
        int(await metric(server, f'orders_http_connections_limit{{port="{port}"}}'))
        for port in ("metrics", "api")
    ]
    async with (
        slow_callers((server.metrics_port, few + 10), (server.port, many + 10)),
        httpx.AsyncClient(timeout=15) as client,
    ):
        status = await create(server)
        probe = await client.get(f"{server.metrics_url}/livez")

    assert [200, 201] == [probe.status_code, status]


@pytest.mark.skipif(sys.platform != "linux", reason="connections are counted on Linux only")
async def test_slow_heads_on_the_metrics_port_delay_a_probe_by_seconds(
    serve: Start, database_url: str
) -> None:
    """Nothing there may take as long as a request of the API, so the first make room soon."""
    server = serve(DATABASE_URL=database_url, REQUEST_TIMEOUT="60")
    few = int(await metric(server, 'orders_http_connections_limit{port="metrics"}'))
    async with (
        slow_callers((server.metrics_port, few + 10)),
        httpx.AsyncClient(timeout=15) as client,
    ):
        probe = await client.get(f"{server.metrics_url}/livez")

    assert 200 == probe.status_code


@pytest.mark.skipif(sys.platform != "linux", reason="connections are counted on Linux only")
async def test_a_flood_ends_no_request(narrow: NarrowServer, database_url: str) -> None:
    """While idle connections are closed for others, one with a request under way is not."""
    async with table_locked(database_url):
        waiting = asyncio.ensure_future(create(narrow))
        await eventually(lambda: _active(narrow))
        async with idle_callers(narrow, CALLERS + 40, b""):
            await eventually(lambda: "that were idle; more may follow" in narrow.output())
            status = await waiting

    assert 503 == status


async def _active(server: Server) -> bool:
    return await metric(server, "http_server_active_requests") == 1


@pytest.mark.skipif(sys.platform != "linux", reason="connections are counted on Linux only")
async def test_connections_are_counted(narrow: NarrowServer) -> None:
    """Those of callers are a metric beside their bound, for which the soft limit was raised."""
    async with idle_callers(narrow, 20, READ):

        async def counted() -> bool:
            return await metric(narrow, 'orders_http_connections{port="api"}') == 20

        await eventually(counted)
        limit = await metric(narrow, 'orders_http_connections_limit{port="api"}')
        descriptors = await metric(narrow, "process_max_fds")

    assert (CALLERS, DESCRIPTORS) == (limit, descriptors)
    assert "that were idle; more may follow" not in narrow.output()
