"""Legal requests that want more memory than there is: it is refused, and nobody else notices."""

import asyncio
import contextlib
import json
import socket
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.locks import table_locked
from tests.memory_group import memory_group
from tests.server import Server, eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read off /proc")

CONTAINER = 128 * 1024 * 1024
"""What the group of the process has; where there can be no group, it is told of its limit."""
MOST = 100 * 1024 * 1024
"""Bytes that the process may have at any time."""
ORDER = b'{"item":"tea","quantity":1}'
BATCH = json.dumps([{"item": "espresso beans, roasted " * 8, "quantity": 1}] * 1000).encode()
HEAD = b"Host: x\r\nContent-Type: application/json\r\n"


class LimitedServer(Server):
    """The service in a group of its own."""

    program = (
        "-c",
        """
import os, sys
from pathlib import Path
from orders import cli
if group := os.environ.get("GROUP"):
    Path(group, "cgroup.procs").write_text(str(os.getpid()), "ascii")
sys.exit(cli.main())
""",
    )

    def most(self) -> int:
        """Return the most bytes that it ever had."""
        return self._has("VmHWM")

    def now(self) -> int:
        """Return the bytes that it has."""
        return self._has("VmRSS")

    def _has(self, what: str) -> int:
        status = Path(f"/proc/{self.process.pid}/status").read_text("ascii")
        return int(status.split(f"{what}:")[1].split()[0]) * 1024


@pytest.fixture
def limited(
    request: pytest.FixtureRequest, tmp_path: Path, database_url: str
) -> Iterator[LimitedServer]:
    """Start one in 128 MiB, of which it must not use 100; `param` is its REQUEST_TIMEOUT."""
    with memory_group(CONTAINER) as group:
        limit = (
            {"MEMORY_LIMIT": str(CONTAINER * 9 // 10)} if group is None else {"GROUP": str(group)}
        )
        server = LimitedServer(
            tmp_path / "serve.log",
            DATABASE_URL=database_url,
            REQUEST_TIMEOUT=getattr(request, "param", "5"),
            LOG_LEVEL="WARNING",
            **limit,
        )
        server.wait_for()
        yield server
        most = server.most()
        assert 0 == server.stop(), server.output()
    assert most < MOST, f"{most / 1024**2:.1f} MiB"
    assert '"level":"ERROR"' not in server.output()


def post(path: str, body: bytes, sent: int | None = None) -> bytes:
    """Return a request, or so many bytes of its body."""
    head = b"POST %b HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n" % (path.encode(), HEAD, len(body))
    return head + body[:sent]


async def status(port: int, data: bytes) -> int:
    """Send something on a connection of its own; return the status, 0 if it is only closed."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        writer.write(data)
        line = await reader.readline()
        if line:
            await reader.readuntil(b"\r\n\r\n")
        return int(line.split()[1]) if line else 0
    except (ConnectionError, asyncio.IncompleteReadError):
        return 0
    finally:
        writer.transport.abort()


async def value(server: Server, sample: str) -> float:
    """Return the value of a metric."""
    async with httpx.AsyncClient(timeout=30) as client:
        text = (await client.get(f"{server.metrics_url}/metrics")).text
    return float(next(line.split()[-1] for line in text.splitlines() if line.startswith(sample)))


async def nothing_held(server: Server) -> None:
    """Wait until requests hold nothing any more."""

    async def nothing() -> bool:
        return await value(server, "orders_memory_held_bytes") == 0

    await eventually(nothing, within=30)


@contextlib.asynccontextmanager
async def others_served(server: Server, path: str = "/livez") -> AsyncIterator[None]:
    """Have somebody else ask all the while, and be answered each time."""
    answers: list[int] = []
    data = (
        post("/orders", ORDER)
        if path == "/orders"
        else b"GET %b HTTP/1.1\r\n%b\r\n" % (path.encode(), HEAD)
    )

    async def ask() -> None:
        while True:
            answers.append(await status(server.port, data))
            await asyncio.sleep(0.05)

    asking = asyncio.ensure_future(ask())
    try:
        yield
        seen = len(answers)
        await eventually(lambda: len(answers) > seen)
    finally:
        asking.cancel()
    assert {201 if path == "/orders" else 200} == set(answers)


@pytest.mark.parametrize("limited", ["60"], indirect=True)  # none is to be late
async def test_batches_of_many_callers(limited: LimitedServer) -> None:
    """64 callers with batches of 1,000: two dozen at least have them, others are refused."""
    async with others_served(limited, "/orders"):
        batches = (status(limited.port, post("/orders/batch", BATCH)) for _ in range(64))
        answers = Counter(await asyncio.gather(*batches))

    assert set(answers) <= {201, 503, 0}
    assert answers[201] >= 24
    await nothing_held(limited)


async def test_batches_while_the_table_is_locked(
    limited: LimitedServer, database_url: str
) -> None:
    """200 batches that cannot be written: some wait until their deadline, others are refused."""
    async with table_locked(database_url), others_served(limited, "/orders?limit=1"):
        batches = (status(limited.port, post("/orders/batch", BATCH)) for _ in range(200))
        answers = Counter(await asyncio.gather(*batches))

    assert {503} <= set(answers) <= {503, 0}
    await nothing_held(limited)


async def test_unfinished_bodies(limited: LimitedServer) -> None:
    """300 bodies of 1 MB that stop before their end: refused, or late, and others have orders."""
    body = b"[" + b" " * 999_998 + b"]"
    async with others_served(limited, "/orders"):
        unfinished = (
            status(limited.port, post("/orders/batch", body, 900_000)) for _ in range(300)
        )
        answers = Counter(await asyncio.gather(*unfinished))

    assert set(answers) <= {408, 503, 0}
    assert answers[503]
    await nothing_held(limited)


@pytest.mark.parametrize(
    "sent",
    [
        pytest.param(
            b"GET /docs/swagger-ui-bundle.js HTTP/1.1\r\n%bAccept-Encoding: gzip\r\n\r\n" % HEAD,
            id="answers",
        ),
        pytest.param(b"GET /orders HTTP/1.1\r\nHost: x\r\nX: " + b"a" * 15_000, id="heads"),
        pytest.param(
            b"POST /orders HTTP/1.1\r\n%b%bContent-Length: 60000\r\n\r\n%b"
            % (
                HEAD,
                b"".join(b"X-%d: %b\r\n" % (n, b"a" * 120) for n in range(90)),
                b" " * 50_000,
            ),
            id="orders",
        ),
    ],
)
async def test_callers_who_neither_read_nor_go_on(limited: LimitedServer, sent: bytes) -> None:
    """Answers that are not read, heads and bodies that are not finished, on 400 connections.

    What they hold is given back after REQUEST_TIMEOUT, although they stay.
    """
    with contextlib.ExitStack() as stack:
        for _ in range(400):
            caller = stack.enter_context(socket.socket())
            caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
            caller.connect(("127.0.0.1", limited.port))
            caller.setblocking(False)  # noqa: FBT003  its name says it
            with contextlib.suppress(BlockingIOError, ConnectionError):
                caller.send(sent)
        async with others_served(limited, "/orders"):
            await asyncio.sleep(1)  # for what was sent to be taken
        await nothing_held(limited)


def test_what_callers_choose_is_not_remembered(limited: LimitedServer) -> None:
    """Long paths, queries, cookies and names leave nothing behind, however many there are."""
    with socket.create_connection(("127.0.0.1", limited.port), 30) as caller:
        answers = caller.makefile("rb")

        def ask(number: int) -> None:
            text = b"%d" % number + b"a" * 7_000
            for line in (
                b"GET /orders/" + text,
                b"GET /docs/" + text,
                b"GET /orders?limit=1&" + text,
                b"GET /orders?limit=1",
            ):
                caller.sendall(
                    line
                    + b" HTTP/1.1\r\nHost: x\r\nCookie: a=%b\r\nUser-Agent: %b\r\n\r\n"
                    % (text[:2_000], text[:2_000])
                )
                head = b"".join(iter(answers.readline, b"\r\n"))
                answers.read(int(head.lower().split(b"content-length:")[1].split()[0]))

        for number in range(50):
            ask(number)
        before = limited.now()
        for number in range(50, 1_100):
            ask(number)

    assert limited.now() - before < 4 * 1024 * 1024


async def test_callers_who_leave(limited: LimitedServer, database_url: str) -> None:
    """Creates that wait, of 4,000 callers who are gone, are no more than connections may be."""
    data = post("/orders", ORDER)
    async with table_locked(database_url), others_served(limited):
        for _ in range(4_000):
            with socket.create_connection(("127.0.0.1", limited.port), 30) as caller:
                caller.sendall(data)
            await asyncio.sleep(0)
        depth = await value(limited, 'orders_queue_depth{operation="insert"}')

    assert depth <= await value(limited, 'orders_http_connections_limit{port="api"}')


async def test_answers_without_a_body_that_nobody_reads(limited: LimitedServer) -> None:
    """A caller who asks on and on without reading is closed after REQUEST_TIMEOUT."""
    asked = b"HEAD /orders/0199d2f6-7c1e-7b52-9d5c-0f6b8a1c2e3d HTTP/1.1\r\nHost: x\r\n\r\n"
    with socket.socket() as caller:
        caller.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        caller.connect(("127.0.0.1", limited.port))
        caller.setblocking(False)  # noqa: FBT003  its name says it

        async def ask_on() -> None:
            while True:
                await asyncio.get_running_loop().sock_sendall(caller, asked * 100)

        async with others_served(limited, "/orders"), asyncio.timeout(60):
            with pytest.raises(ConnectionError):
                await ask_on()
