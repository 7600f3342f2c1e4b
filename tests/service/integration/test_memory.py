"""Legal requests that want more memory than there is: it is refused, and nobody else notices.

Each is tried on a service that is open to all, and on one that speaks TLS and asks who calls.
"""

import asyncio
import contextlib
import json
import socket
import ssl
import sys
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import httpx
import pytest

from tests.helpers.guarded_service import Closing, closing
from tests.helpers.memory_cgroup import memory_group
from tests.helpers.server import Server, eventually
from tests.helpers.table_locks import table_locked

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="memory is read off /proc")

CONTAINER = 128 * 1024 * 1024
"""What the group of the process has; where there can be no group, it is told of its limit."""
MOST = 100 * 1024 * 1024
"""Bytes that the process may have at any time."""
ORDER = b'{"item":"tea","quantity":1}'
BATCH = json.dumps([{"item": "espresso beans, roasted " * 8, "quantity": 1}] * 1000).encode()
LONG_NAME = b'[{"%b":1}]' % ("\N{TEACUP WITHOUT HANDLE}".encode() + b"k" * 1_000_000)
NO_ORDER = "/orders/0199d2f6-7c1e-7b52-9d5c-0f6b8a1c2e3d"
JSON = b"Content-Type: application/json\r\n"
AWAY = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:9"}
"""A collector that is not there."""
LONG = b"".join(b"X-%d: %b\r\n" % (number, b"a" * 120) for number in range(90))
"""Headers of 12 KiB."""


class LimitedServer(Server):
    """The service in a group of its own."""

    covered = False
    token: str
    tls: ssl.SSLContext | None
    """What a caller needs to connect."""
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

    def connect(self, buffer: int | None = None) -> socket.socket:
        """Open a connection, of which `buffer` bytes wait at the caller's end at most."""
        made = socket.socket()
        made.settimeout(30)
        if buffer is not None:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        made.connect(("127.0.0.1", self.port))
        if self.tls is None:
            return made
        return self.tls.wrap_socket(made, server_hostname="localhost")

    def head(self, line: str, *more: bytes) -> bytes:
        """Return the head of a request that is let in."""
        return b"%b HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer %b\r\n%b\r\n" % (
            line.encode(),
            self.token.encode(),
            b"".join(more),
        )

    def post(self, path: str, body: bytes, sent: int | None = None, *more: bytes) -> bytes:
        """Return a request, or so many bytes of its body."""
        length = b"Content-Length: %d\r\n" % len(body)
        return self.head(f"POST {path}", JSON, length, *more) + body[:sent]

    async def status(self, data: bytes) -> int:
        """Send something on a connection of its own; return the status, 0 if it is only closed."""
        name = None if self.tls is None else "localhost"
        try:
            reader, writer = await asyncio.open_connection(
                "127.0.0.1", self.port, ssl=self.tls, server_hostname=name
            )
        except (ConnectionError, asyncio.IncompleteReadError):
            return 0
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


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Closing:
    """Make what a service needs that speaks TLS and asks who calls."""
    return closing(tmp_path_factory.mktemp("closed"))


@pytest.fixture
def request_timeout() -> str:
    """Say how many seconds a request may take."""
    return "5"


@pytest.fixture
def more() -> dict[str, str]:
    """Say what else the service is told."""
    return {}


@pytest.fixture
def bound() -> int:
    """Say how many bytes the process may have at any time."""
    return MOST


@pytest.fixture(params=["open", "closed"])
def limited(  # noqa: PLR0913  one fixture each
    request: pytest.FixtureRequest,
    tmp_path: Path,
    database_url: str,
    secured: Closing,
    request_timeout: str,
    more: dict[str, str],
    bound: int,
) -> Iterator[LimitedServer]:
    """Start one in 128 MiB, of which it must not use 100."""
    with memory_group(CONTAINER) as group:
        limit = (
            {"MEMORY_LIMIT": str(CONTAINER * 9 // 10)} if group is None else {"GROUP": str(group)}
        )
        is_closed = request.param == "closed"
        server = LimitedServer(
            tmp_path / "serve.log",
            DATABASE_URL=database_url,
            REQUEST_TIMEOUT=request_timeout,
            LOG_LEVEL="WARNING",
            **limit,
            **(secured.environ if is_closed else {}),
            **more,
        )
        server.token = secured.token
        server.tls = secured.authority.trusted() if is_closed else None
        server.wait_for()
        yield server
        most = server.most()
        assert 0 == server.stop(), server.output()
    assert most < bound, f"{most / 1024**2:.1f} MiB"
    assert '"level":"ERROR"' not in server.output()


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


async def callers(server: Server) -> int:
    """Return how many connections leave room for others."""
    return int(await value(server, 'orders_http_connections_limit{port="api"}') * 2 / 3)


@contextlib.asynccontextmanager
async def others_served(server: LimitedServer, path: str = "/livez") -> AsyncIterator[None]:
    """Have somebody else ask all the while, and be answered each time."""
    answers: list[int] = []
    creates = path == "/orders"
    data = server.post(path, ORDER) if creates else server.head(f"GET {path}")

    async def ask() -> None:
        while True:
            status = await server.status(data)
            if status == 0 and server.tls is not None:
                # Beyond the bound of handshakes anybody may be closed, and tries again.
                status = await server.status(data)
            answers.append(status)
            await asyncio.sleep(0.05)

    asking = asyncio.ensure_future(ask())
    try:
        yield
        seen = len(answers)
        await eventually(lambda: len(answers) > seen)
    finally:
        asking.cancel()
    assert {201 if creates else 200} == set(answers)


@pytest.mark.parametrize("request_timeout", ["60"])  # none is to be late
async def test_batches_of_many_callers(limited: LimitedServer) -> None:
    """64 callers with batches of 1,000: a dozen at least have them, others are refused.

    How many more there are depends on how soon the first are stored. With TLS, and a process that
    is larger, there is memory for fewer.
    """
    async with others_served(limited, "/orders"):
        batches = (limited.status(limited.post("/orders/batch", BATCH)) for _ in range(64))
        answers = Counter(await asyncio.gather(*batches))

    assert set(answers) <= {201, 503, 0}
    assert answers[201] >= (12 if limited.tls is None else 6)
    await nothing_held(limited)


async def test_batches_while_the_table_is_locked(
    limited: LimitedServer, database_url: str
) -> None:
    """200 batches that cannot be written: some wait until their deadline, others are refused."""
    async with table_locked(database_url), others_served(limited, "/orders?limit=1"):
        batches = (limited.status(limited.post("/orders/batch", BATCH)) for _ in range(200))
        answers = Counter(await asyncio.gather(*batches))

    assert {503} <= set(answers) <= {503, 0}
    await nothing_held(limited)


async def test_unfinished_bodies(limited: LimitedServer) -> None:
    """300 bodies of 1 MB that stop before their end: refused, or late, and others have orders."""
    body = b"[" + b" " * 999_998 + b"]"
    async with others_served(limited, "/orders"):
        unfinished = (
            limited.status(limited.post("/orders/batch", body, 900_000)) for _ in range(300)
        )
        answers = Counter(await asyncio.gather(*unfinished))

    assert set(answers) <= {408, 503, 0}
    assert answers[503]
    await nothing_held(limited)


async def test_bodies_whose_error_repeats_them(limited: LimitedServer) -> None:
    """Names of fields of 1 MB, four times as large for one emoji: their error is a few words."""
    async with others_served(limited, "/orders"):
        bodies = (limited.status(limited.post("/orders/batch", LONG_NAME)) for _ in range(48))
        answers = Counter(await asyncio.gather(*bodies))

    assert {400} <= set(answers) <= {400, 503, 0}
    await nothing_held(limited)


@contextlib.asynccontextmanager
async def stuck(server: LimitedServer, sent: bytes) -> AsyncIterator[None]:
    """Have many callers who send something, and neither read nor go on."""
    with contextlib.ExitStack() as stack:
        for _ in range(await callers(server)):
            caller = stack.enter_context(await asyncio.to_thread(server.connect, 4096))
            caller.setblocking(False)  # noqa: FBT003  its name says it
            with contextlib.suppress(BlockingIOError, ssl.SSLWantWriteError, ConnectionError):
                caller.send(sent)
        yield


@pytest.mark.parametrize("what", ["answers", "pages", "heads", "orders", "refused", "reads"])
async def test_callers_who_neither_read_nor_go_on(limited: LimitedServer, what: str) -> None:
    """Answers that are not read, heads and bodies that are not finished, on all connections.

    What they hold is given back after REQUEST_TIMEOUT, although they stay.
    """
    sent = {
        "answers": limited.head("GET /docs/swagger-ui-bundle.js", b"Accept-Encoding: gzip\r\n"),
        "pages": limited.head("GET /docs/swagger-ui-bundle.js"),
        "heads": limited.head("GET /orders", b"X: " + b"a" * 15_000)[:-4],
        "orders": limited.post("/orders", b" " * 60_000, 50_000, LONG),
        "refused": limited.post("/nothing", b" " * 16_000_000, 15_000_000, LONG),
        "reads": limited.head(f"GET {NO_ORDER}") * 1_000,
    }[what]
    async with stuck(limited, sent):
        async with others_served(limited, "/orders"):
            await asyncio.sleep(1)  # for what was sent to be taken
        await nothing_held(limited)


def test_what_callers_choose_is_not_remembered(limited: LimitedServer) -> None:
    """Long paths, queries, cookies and names leave nothing behind, however many there are."""
    with limited.connect() as caller:
        answers = caller.makefile("rb")

        def ask(number: int) -> None:
            text = f"{number}{'a' * 7_000}"
            for line in (
                f"GET /orders/{text}",
                f"GET /docs/{text}",
                f"GET /orders?limit=1&{text}",
                "GET /orders?limit=1",
            ):
                chosen = text[:2_000].encode()
                caller.sendall(
                    limited.head(line, b"Cookie: a=%b\r\nUser-Agent: %b\r\n" % (chosen, chosen))
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
    data = limited.post("/orders", ORDER)
    async with table_locked(database_url), others_served(limited):
        for _ in range(4_000 if limited.tls is None else 1_000):
            with await asyncio.to_thread(limited.connect) as caller:
                caller.sendall(data)
        depth = await value(limited, 'orders_queue_depth{operation="insert"}')

    assert depth <= await value(limited, 'orders_http_connections_limit{port="api"}')


async def test_answers_without_a_body_that_nobody_reads(limited: LimitedServer) -> None:
    """A caller who asks on and on without reading is closed after REQUEST_TIMEOUT."""
    asked = limited.head(f"HEAD {NO_ORDER}") * 100
    caller = limited.connect(4096)

    def ask_on() -> None:
        while True:
            caller.sendall(asked)

    with caller:
        async with others_served(limited, "/orders"):
            with pytest.raises((ConnectionError, ssl.SSLError)):
                await asyncio.to_thread(ask_on)


@pytest.mark.parametrize("more", [AWAY])
async def test_spans_that_nobody_takes(limited: LimitedServer) -> None:
    """Spans wait for a collector that is away, of requests as long as they may be."""
    async with others_served(limited, "/orders"):
        await asyncio.to_thread(fill_spans, limited)


@pytest.mark.parametrize(
    ("limited", "bound"), [("open", MOST), ("closed", CONTAINER * 9 // 10)], indirect=["limited"]
)
@pytest.mark.parametrize("more", [AWAY])
async def test_large_bodies_while_spans_wait(limited: LimitedServer) -> None:
    """What can be large at the same time: spans that wait, long names, and many batches.

    With TLS, tokens and tracing the process wants more than a container of this size has for it,
    and says so as it starts; it stays within its limit all the same.
    """
    await asyncio.to_thread(fill_spans, limited)
    long_name = limited.post("/orders/batch", LONG_NAME)
    batch = limited.post("/orders/batch", BATCH)
    async with others_served(limited, "/orders"):
        named = Counter(await asyncio.gather(*(limited.status(long_name) for _ in range(48))))
        batches = Counter(await asyncio.gather(*(limited.status(batch) for _ in range(64))))

    assert {400} <= set(named) <= {400, 503, 0}
    assert {201} <= set(batches) <= {201, 503, 0}
    await nothing_held(limited)


def fill_spans(server: LimitedServer) -> None:
    """Ask for as many spans as wait, each as large as a caller can make it."""
    with server.connect() as caller:
        answers = caller.makefile("rb")
        for number in range(2_100):
            line = f"GET /orders/{'%F0%9F%8D%B5' * 500}?{'q' * 250}{number}"
            caller.sendall(
                server.head(
                    line,
                    b"User-Agent: %d%b\r\n" % (number, b"a" * 1_000),
                    b"X-Forwarded-Host: h%d%b\r\n" % (number, b"a" * 240),
                    b"traceparent: 00-%032x-%016x-01\r\n" % (number + 1, number + 1),
                    b"tracestate: k%d=%b\r\n" % (number, b"a" * 490),
                )
            )
            head = b"".join(iter(answers.readline, b"\r\n"))
            answers.read(int(head.lower().split(b"content-length:")[1].split()[0]))


@pytest.mark.parametrize("limited", ["closed"], indirect=True)
async def test_handshakes_that_are_not_finished(limited: LimitedServer) -> None:
    """Callers of TLS who stop in their first message, of many KiB, hold no more than others."""
    start = b"\x16\x03\x01\x40\x00" + b"\x01\x00\xff\xf0" + b"\x00" * (0x4000 - 4)
    more = b"\x16\x03\x01\x40\x00" + b"\x00" * 0x4000
    hello = start + more * 2 + more[:10_000]
    with contextlib.ExitStack() as stack:
        async with others_served(limited, "/orders"):
            callers = [stack.enter_context(socket.socket()) for _ in range(1_000)]
            for caller in callers:
                caller.setblocking(False)  # noqa: FBT003  its name says it
                caller.connect_ex(("127.0.0.1", limited.port))
                await asyncio.sleep(0)
            for _ in range(100):
                callers = [caller for caller in callers if not begins(caller, hello)]
                await asyncio.sleep(0.05)

        assert await value(limited, 'orders_http_connections_closed_total{port="api"}') > 100


def begins(caller: socket.socket, hello: bytes) -> bool:
    """Whether a caller has sent the beginning of its first message, or was closed."""
    try:
        caller.send(hello)
    except BlockingIOError:
        return False
    except OSError:
        pass
    return True
