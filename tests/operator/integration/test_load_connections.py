"""What a load notices of servers that do wrong, and that it never asks twice by itself."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from orders_operator.load import requests
from orders_operator.load.connection import Answer, NoAnswer
from orders_operator.load.connections import Connections
from tests.helpers.ports import free_port
from tests.helpers.scripted_server import LAST, OK, Caller, OddServer, odd_server
from tests.helpers.server import eventually


@asynccontextmanager
async def connections(
    url: str, *, limit: float = 10.0, renew: int = 100
) -> AsyncIterator[Connections]:
    """Have connections to a server."""
    made = Connections(url, timeout=limit, renew=renew)
    yield made
    made.close()


async def ask(made: Connections, server: OddServer, *, fresh: bool = False) -> Answer:
    """Send one request."""
    return await made.ask(requests.get(server.url), fresh=fresh)


async def failure(made: Connections, server: OddServer) -> tuple[str, str, bool]:
    """Send one request on a kept-alive connection; return how it failed."""
    with pytest.raises(NoAnswer) as caught:
        await ask(made, server)
    return caught.value.what, caught.value.phase, caught.value.reused


async def answer_all(caller: Caller) -> None:
    """Do right."""
    while await caller.request():
        caller.send(OK)


async def answer_the_first(caller: Caller) -> None:
    """Answer one request, and close when another has come."""
    await caller.request()
    caller.send(OK)
    await caller.request()


async def test_a_kept_connection_that_closes_on_a_request_is_a_failure() -> None:
    """It is told as on a reused connection, without a byte, and the request is not sent again."""
    async with odd_server(answer_the_first) as server, connections(server.url) as made:
        first = await ask(made, server)
        failed = await failure(made, server)
        again = await ask(made, server)

    assert (200, b"ok", False) == (first.status, first.body, first.reused)
    assert ("ServerDisconnected", "sent", True) == failed
    assert (200, False) == (again.status, again.reused)
    assert [2, 1] == server.requests


async def test_a_connection_that_was_closed_before_is_not_used() -> None:
    """What the server ended while nothing was asked fails no request."""

    async def once(caller: Caller) -> None:
        await caller.request()
        caller.send(OK)

    async with odd_server(once) as server, connections(server.url) as made:
        for expected in range(1, 4):
            answer = await ask(made, server)
            assert (200, False) == (answer.status, answer.reused)
            assert expected == len(server.callers)
            await eventually(lambda: not made._idle[0].usable())


async def test_a_reset_is_told_as_such() -> None:
    """A server that is killed answers so."""

    async def reset(caller: Caller) -> None:
        await caller.request()
        caller.reset()

    async with odd_server(reset) as server, connections(server.url) as made:
        assert ("ConnectionResetError", "sent", False) == await failure(made, server)
        assert [1] == server.requests


@pytest.mark.parametrize("part", [OK[:1], OK[:30], OK[:-1]])
async def test_half_an_answer_is_told_as_such(part: bytes) -> None:
    """From its first byte the server had taken the request."""

    async def half(caller: Caller) -> None:
        await caller.request()
        caller.send(part)

    async with odd_server(half) as server, connections(server.url) as made:
        assert ("IncompleteAnswer", "answering", False) == await failure(made, server)
        assert [1] == server.requests


async def test_what_is_not_http_is_told_as_such() -> None:
    """And its connection is not used again."""

    async def wrong(caller: Caller) -> None:
        await caller.request()
        caller.send(b"SSH-2.0-OpenSSH\r\n")
        await caller.gone()

    async with odd_server(wrong) as server, connections(server.url) as made:
        assert ("NotHTTP", "answering", False) == await failure(made, server)
        assert ("NotHTTP", "answering", False) == await failure(made, server)
        assert [1, 1] == server.requests


@pytest.mark.parametrize(("part", "phase"), [(b"", "sent"), (OK[:9], "answering")])
async def test_an_answer_that_does_not_come_is_a_timeout(part: bytes, phase: str) -> None:
    """Its connection is ended, as an answer that comes later would be taken for another's."""

    async def hang(caller: Caller) -> None:
        await caller.request()
        caller.send(part)
        await caller.gone()

    async with odd_server(hang) as server, connections(server.url, limit=0.1) as made:
        assert ("TimeoutError", phase, False) == await failure(made, server)
        assert not made._idle


async def test_a_server_that_is_not_there_is_told_as_such() -> None:
    """Nothing was sent."""
    server = OddServer(free_port())
    async with connections(server.url) as made:
        assert ("ConnectionRefusedError", "connecting", False) == await failure(made, server)


async def test_an_answer_may_be_the_last() -> None:
    """After `Connection: close` the next request has another connection."""

    async def last(caller: Caller) -> None:
        await caller.request()
        caller.send(LAST)
        await caller.gone()

    async with odd_server(last) as server, connections(server.url) as made:
        answers = [await ask(made, server) for _ in range(3)]

        assert [False] * 3 == [answer.reused for answer in answers]
        assert [1, 1, 1] == server.requests


async def test_a_kept_connection_is_renewed() -> None:
    """After so many requests, so that a new pod has its share."""
    async with odd_server(answer_all) as server, connections(server.url, renew=3) as made:
        reused = [(await ask(made, server)).reused for _ in range(7)]

        assert [False, True, True, False, True, True, False] == reused
        assert [3, 3, 1] == server.requests


async def test_a_fresh_connection_carries_one_request() -> None:
    """Kept-alive ones are not used for it, and it is not kept, even if the server would."""
    async with odd_server(answer_all) as server, connections(server.url) as made:
        reused = [(await ask(made, server, fresh=fresh)).reused for fresh in (False, True, False)]

        assert [False, False, True] == reused
        assert [2, 1] == server.requests


async def test_requests_at_once_have_a_connection_each() -> None:
    """None waits for another's answer, and each connection has its turn again."""
    together = asyncio.Barrier(4)

    async def wait(caller: Caller) -> None:
        while await caller.request():
            await together.wait()
            caller.send(OK)

    async with odd_server(wait) as server, connections(server.url) as made:
        for _ in range(3):
            await asyncio.gather(*(ask(made, server) for _ in range(4)))

        assert [3, 3, 3, 3] == server.requests


async def test_an_answer_that_nobody_asked_for_is_not_taken() -> None:
    """A second answer to one request ends the connection, and is nobody's."""

    async def twice(caller: Caller) -> None:
        while await caller.request():
            caller.send(OK + OK)

    async with odd_server(twice) as server, connections(server.url) as made:
        answers = [await ask(made, server) for _ in range(3)]

        assert [False] * 3 == [answer.reused for answer in answers]
        assert [1, 1, 1] == server.requests
