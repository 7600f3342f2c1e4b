"""Bodies that are read after their answer, by what they hold; over sockets of a real server."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, NamedTuple

import pytest

from orders.http.asgi import Receive, Scope, Send, respond
from orders.http.bridge import Bridge
from orders.http.budget import Budget
from orders.http.rsgi import Exchange
from orders.http.rsgi import Scope as Request
from orders.http.server import Bounds, serve_rsgi
from orders.http.shares import PLAIN
from tests.helpers.ports import free_port
from tests.helpers.server import eventually

CHUNKED = b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
SMALL = b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n"
END = b"0\r\n\r\n"


class Refusing(NamedTuple):
    """A server that answers before it reads, and what it has for bodies."""

    port: int
    budget: Budget

    async def ask(self, head: bytes) -> tuple[asyncio.StreamWriter, bytes]:
        """Send the head of a request; return the way for its body, and the head of the answer."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        writer.write(head)
        return writer, await reader.readuntil(b"\r\n\r\n")


async def refuse(scope: Scope, receive: Receive, send: Send) -> None:
    """Answer without a look at the body."""
    del scope, receive
    await respond(send, 404, [], b"no")


@pytest.fixture(params=["tasks", "calls"])
async def refusing(request: pytest.FixtureRequest) -> AsyncIterator[Refusing]:
    """Serve by the cold way, with a task, and by that of hot calls; two bodies have memory."""
    budget = Budget(PLAIN.arriving * 5 // 2)
    bridge, port = Bridge(refuse, budget), free_port()

    def call(asked: tuple[Request, Exchange]) -> None:
        bridge.unread(*asked).response_bytes(404, [], b"no")

    def answer(asked: tuple[Request, Exchange]) -> None:
        bridge.start(*asked, 0.0, read=False)

    def take(scope: Any, protocol: Any) -> Any:
        return (answer if request.param == "tasks" else call), (scope, protocol)

    listener = serve_rsgi(take, "127.0.0.1", port, Bounds(64, 16 * 1024, 60.0))
    await listener.bound()
    yield Refusing(port, budget)
    listener.stop()
    await listener.stopped()


async def test_a_body_after_its_answer_is_charged_until_its_end(refusing: Refusing) -> None:
    """It holds what the server has of it, and gives that back."""
    writer, answer = await refusing.ask(CHUNKED)
    held = refusing.budget.used
    writer.write(END)
    await eventually(lambda: refusing.budget.used == 0)
    writer.close()

    assert b"connection: close" not in answer.lower()
    assert PLAIN.arriving == held


async def test_bodies_are_not_read_for_which_there_is_no_memory(refusing: Refusing) -> None:
    """Their callers are told that the connection ends; small bodies have their place anyway."""
    asked = [await refusing.ask(head) for head in (CHUNKED, CHUNKED, CHUNKED, SMALL)]
    held = refusing.budget.used
    for writer, _ in asked:
        writer.close()
    await eventually(lambda: refusing.budget.used == 0)

    assert [False, False, True, False] == [b"connection: close" in a.lower() for _, a in asked]
    assert 2 * PLAIN.arriving == held
    assert 0 == refusing.budget.refused
