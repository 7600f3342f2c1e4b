"""The hot path over sockets: who is hot, and what is left behind."""

import asyncio
import json
import re
import signal
import socket
from collections.abc import Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.helpers.client_requests import CLIENTS, GOOD, requests
from tests.helpers.postgres import Databases
from tests.helpers.problem_document import problem
from tests.helpers.raw_http import JSON, Request, exchange, leave
from tests.helpers.server import Server, eventually

UNKNOWN = "0199d2f6-7c1e-7b52-9d5c-0f6b8a1c2e3d"
HEAD = b"Host: x\r\nContent-Type: application/json\r\n"
CREATE = b"POST /orders HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n%b" % (HEAD, len(GOOD), GOOD)
CHUNKED = b"POST /orders HTTP/1.1\r\n%bTransfer-Encoding: chunked\r\n\r\n%x\r\n%b\r\n0\r\n\r\n" % (
    HEAD,
    len(GOOD),
    GOOD,
)
READ = b"GET /orders/%b HTTP/1.1\r\nHost: x\r\n\r\n"
GROWTH = 4 * 1024 * 1024
"""Bytes that 10,000 requests may add, less than a cycle for each that nobody collects."""


class WatchedServer(Server):
    """The service, which says what is cold, and counts its garbage when it is asked to."""

    program = (
        "-c",
        """
import gc, os, signal, sys
from orders import cli
from orders.http.bridge import Bridge
start = Bridge.start
def watched(self, scope, *arguments, **options):
    os.write(2, f"cold: {scope.method} {scope.path}\\n".encode())
    start(self, scope, *arguments, **options)
Bridge.start = watched
def collect(*_):
    left = gc.collect() + sum(type(o).__name__ == "CreateCall" for o in gc.get_objects())
    os.write(2, f"garbage: {left}\\n".encode())
signal.signal(signal.SIGUSR2, collect)
sys.exit(cli.main())
""",
    )

    def cold(self) -> list[str]:
        """Return the requests to the API that were cold."""
        return re.findall(r"^cold: (\w+ /orders.*)$", self.output(), re.MULTILINE)

    async def garbage(self) -> int:
        """Collect; return how many objects cycles kept, and how many creates are not over."""
        before = self.output().count("garbage:")
        self.process.send_signal(signal.SIGUSR2)
        await eventually(lambda: self.output().count("garbage:") > before)
        return int(re.findall(r"garbage: (\d+)", self.output())[-1])


@pytest.fixture(scope="module")
def watched(
    postgres: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[WatchedServer]:
    """Start one that all of these tests share."""
    log = tmp_path_factory.mktemp("hot") / "serve.log"
    url = postgres.migrated_database()
    started = WatchedServer(log, DATABASE_URL=url)
    started.wait_for()
    yield started
    assert 0 == started.stop()
    postgres.drop(url)


def created(server: Server, *headers: tuple[str, str]) -> str:
    """Create an order; return its id."""
    answer = exchange(server.port, Request("POST", "/orders", (JSON, *headers), (GOOD,)))
    assert 201 == answer.status, answer
    return str(json.loads(answer.body)["id"])


@pytest.mark.parametrize("name", CLIENTS)
def test_what_ordinary_clients_send_is_hot(watched: WatchedServer, name: str) -> None:
    """Creates, reads, HEAD and conditional reads of real clients never reach Litestar."""
    order_id = created(watched)
    asked = requests(CLIENTS[name], order_id)

    assert [201, 201, 200, 200, 304, 304, 200] == [
        exchange(watched.port, request).status for request in asked
    ]
    assert [] == watched.cold()


def test_an_id_in_capitals_is_hot(watched: WatchedServer) -> None:
    """As Swift writes UUIDs; the answer has the id as it is."""
    order_id = created(watched)
    cold = watched.cold()
    answer = exchange(watched.port, Request("GET", f"/orders/{order_id.upper()}"))

    assert order_id == json.loads(answer.body)["id"]
    assert cold == watched.cold()


def test_problems_of_the_rules_are_hot(watched: WatchedServer) -> None:
    """What the endpoints refuse, once a request is understood, costs no Litestar either."""
    key = ("Idempotency-Key", "of-the-rules")
    created(watched, key)
    asked = (
        Request("GET", f"/orders/{UNKNOWN}"),
        Request("POST", "/orders", (JSON, key), (b'{"item":"tea","quantity":7}',)),
        Request("POST", "/orders", (JSON, ("Idempotency-Key", "a b")), (GOOD,)),
        Request("POST", "/orders", (JSON,), (b'{"item":"a\\u0000","quantity":1}',)),
    )

    assert [404, 422, 400, 400] == [exchange(watched.port, request).status for request in asked]
    assert [] == watched.cold()


def answers(connection: socket.socket, count: int) -> list[tuple[int, bytes]]:
    """Read so many answers of one connection: status and body."""
    found = []
    with connection.makefile("rb") as reader:
        for _ in range(count):
            status = int(reader.readline().split()[1])
            length = 0
            while (line := reader.readline().lower()) != b"\r\n":
                if line.startswith(b"content-length:"):
                    length = int(line.partition(b":")[2])
            found.append((status, reader.read(length)))
    return found


def test_pipelined_requests_are_answered_in_order(watched: WatchedServer) -> None:
    """Hot, chunked and cold requests that arrive at once are answered in the order they came."""
    order_id = created(watched)
    read = READ % order_id.encode()
    unknown = READ % UNKNOWN.encode()
    batch = b"POST /orders/batch HTTP/1.1\r\n%bContent-Length: %d\r\n\r\n[%b]" % (
        HEAD,
        len(GOOD) + 2,
        GOOD,
    )
    story = [
        (read, 200), (CREATE, 201), (CHUNKED, 201), (unknown, 404), (batch, 201),
        (CREATE, 201), (read, 200), (b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n", 404),
    ] * 5  # fmt: skip
    with socket.create_connection(("127.0.0.1", watched.port), 15) as connection:
        connection.sendall(b"".join(request for request, _ in story))
        told = answers(connection, len(story))

    assert [status for _, status in story] == [status for status, _ in told]
    assert {order_id} == {json.loads(body)["id"] for status, body in told if status == 200}
    ids = [json.loads(body)["id"] for status, body in told[1::8] if status == 201]
    assert 5 == len(set(ids))


async def test_a_body_byte_by_byte_is_hot(watched: WatchedServer) -> None:
    """Bodies whose every byte arrives alone are put together, chunked or not."""
    before = watched.cold()
    for head, body in (CREATE.split(b"\r\n\r\n", 1), CHUNKED.split(b"\r\n\r\n", 1)):
        reader, writer = await asyncio.open_connection("127.0.0.1", watched.port)
        writer.write(head + b"\r\n\r\n")
        for byte in body:
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(0)
        assert b"HTTP/1.1 201 Created\r\n" == await reader.readline()
        writer.close()

    assert before == watched.cold()


async def settled(server: Server, client: httpx.AsyncClient) -> None:
    """Return when no request is in flight."""

    async def idle() -> bool:
        metrics = (await client.get(f"{server.metrics_url}/metrics")).text
        return "http_server_active_requests 0" in metrics

    await eventually(idle)


def pipeline(port: int, request: bytes, rounds: int, *, width: int = 50) -> None:
    """Ask the same so many times over, `width` requests at once."""
    with socket.create_connection(("127.0.0.1", port), 15) as connection:
        for _ in range(rounds):
            connection.sendall(request * width)
            answers(connection, width)


async def test_requests_leave_nothing_behind(watched: WatchedServer) -> None:
    """Thousands of creates, reads and callers who leave add neither memory nor garbage."""
    read = READ % created(watched).encode()
    keyed = CREATE.replace(b"\r\n\r\n", b"\r\nIdempotency-Key: the-same\r\n\r\n", 1)
    kinds = (read, CREATE, CHUNKED, keyed, READ % UNKNOWN.encode())
    process = psutil.Process(watched.process.pid)

    def ask(rounds: int) -> None:
        # Hundreds who left may wait to be accepted: they take their peak of memory, and are gone,
        # before those who came after them are answered.
        for _ in range(rounds * 10):
            for request in (CREATE, CHUNKED):
                leave(watched.port, request[:-5], rudely=True)
        for request in kinds:
            pipeline(watched.port, request, rounds)

    async def grown() -> int:
        before = process.memory_full_info().uss
        await asyncio.to_thread(ask, 40)
        async with httpx.AsyncClient() as client:
            await settled(watched, client)
        garbage = await watched.garbage()
        assert garbage < 700, "hundreds of callers of each kind left in the middle of a create"
        return int(process.memory_full_info().uss - before)

    await asyncio.to_thread(ask, 40)
    await watched.garbage()
    # What leaks grows every time; a new peak of callers who wait does not.
    assert await grown() < GROWTH or await grown() < GROWTH


async def test_refused_requests_leave_no_garbage(watched: WatchedServer) -> None:
    """What is wrong with a request does not keep its head and body until somebody collects it."""
    invalid = b'[{"item":"tea","quantity":0}]'
    batch = (
        b"POST /orders/batch HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b"Content-Length: %d\r\n\r\n%b" % (len(invalid), invalid)
    )
    kinds = (
        batch,
        b"GET /orders?color=red HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /nothing HTTP/1.1\r\nHost: x\r\n\r\n",
        b"PUT /orders HTTP/1.1\r\nHost: x\r\n\r\n",
        b"GET /orders/none?a=b HTTP/1.1\r\nHost: x\r\n\r\n",
    )
    found = {}
    for kind in kinds:
        await asyncio.to_thread(pipeline, watched.port, kind, 1)
        await watched.garbage()
        await asyncio.to_thread(pipeline, watched.port, kind, 2)
        found[kind.split(b" HTTP")[0]] = await watched.garbage()

    assert {} == {kind: garbage for kind, garbage in found.items() if garbage >= 100}


class DefectiveServer(Server):
    """The service with a defect in what both hot calls do last."""

    program = (
        "-c",
        """
import sys
from orders import cli
from orders.http import calls
def broken(*_):
    raise ZeroDivisionError("a defect")
calls.created = calls.found = broken
sys.exit(cli.main())
""",
    )


async def test_a_defect_is_an_answer(postgres: Databases, tmp_path: Path) -> None:
    """Whoever meets a defect has 500 and its trace; the log has the traceback under that trace."""
    server = DefectiveServer(tmp_path / "serve.log", DATABASE_URL=postgres.migrated_database())
    try:
        server.wait_for()
        async with httpx.AsyncClient(base_url=server.url) as client:
            made = await client.post("/orders", json={"item": "tea", "quantity": 1})
            [order] = (await client.get("/orders")).json()
            read = await client.get(f"/orders/{order['id']}")
            await settled(server, client)
    finally:
        status = server.stop()
    log = [json.loads(line) for line in server.output().splitlines()]
    told = [line for line in log if "exception" in line]

    assert 0 == status
    assert ["internal", "internal"] == [problem(made), problem(read)]
    assert [made.json()["trace_id"], read.json()["trace_id"]] == [
        line["trace_id"] for line in told
    ]
    assert all("ZeroDivisionError: a defect" in line["exception"] for line in told)


class OlderServer(Server):
    """The service on a Granian in which a name that is not published is gone."""

    program = (
        "-c",
        """
import sys
import granian.server.embed
from granian import _granian
del _granian.CallbackScheduler
from orders import cli
sys.exit(cli.main())
""",
    )


async def test_without_an_unpublished_name_the_public_interface_is_taken(
    postgres: Databases, tmp_path: Path
) -> None:
    """The service says so and serves as before, also those who leave, and ends as it should."""
    server = OlderServer(tmp_path / "serve.log", DATABASE_URL=postgres.migrated_database())
    try:
        server.wait_for()
        order_id = created(server)
        await asyncio.to_thread(pipeline, server.port, CREATE, 4)
        await asyncio.to_thread(pipeline, server.port, READ % order_id.encode(), 4)
        for length in range(0, len(CHUNKED), 20):
            leave(server.port, CHUNKED[:length], rudely=True)
        async with httpx.AsyncClient() as client:
            await settled(server, client)
    finally:
        status = server.stop()

    assert 0 == status
    assert "each request costs a task" in server.output()
    assert '"level":"ERROR"' not in server.output()
