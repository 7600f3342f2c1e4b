"""Connections as the system shows them, of a listener in this process."""

import asyncio
import contextlib
import socket
import sys

import pytest

from orders.http.budget import Budget
from orders.http.connections import Connections, Watched
from orders.http.shares import PLAIN, TLS
from tests.helpers.listener import Listener, fill, is_open
from tests.helpers.server import eventually

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="connections are seen on Linux")

MIB = 1024 * 1024
UNREAD = PLAIN.unread


async def test_beyond_all_those_are_closed_that_were_answered_least(listener: Listener) -> None:
    """Handshakes of TLS are connections that the server does not count: some are too many."""
    port = Watched(listener.port, 2, TLS)
    connections = Connections({"api": port}, 60, Budget(MIB, TLS))
    pairs = [listener.connect() for _ in range(port.most + 3)]
    for caller, accepted in pairs[3:]:
        caller.sendall(b"a")
        accepted.send(b"b")
        assert b"b" == caller.recv(1)
    await connections.look()

    assert [False] * 3 + [True] * port.most == [is_open(caller) for caller, _ in pairs]
    assert {"api": 3} == connections.closed


async def test_long_greetings_are_closed_before_short_ones(listener: Listener) -> None:
    """With TLS the first message of a caller may have 64 KiB, for which it counts twice."""
    port = Watched(listener.port, 2, TLS)
    connections = Connections({"api": port}, 60, Budget(MIB, TLS))
    pairs = [listener.connect() for _ in range(port.most)]
    for number, (caller, accepted) in enumerate(pairs):
        greeting = b"a" * (60_000 if number in {3, 4} else 500)
        sending = asyncio.to_thread(caller.sendall, greeting)
        await asyncio.gather(sending, receive(accepted, len(greeting)))
    await connections.look()

    assert [{3}, {4}].count({n for n, (caller, _) in enumerate(pairs) if not is_open(caller)})


async def receive(accepted: socket.socket, size: int) -> None:
    """Read so many bytes."""
    while size:
        size -= len(await asyncio.get_running_loop().sock_recv(accepted, size))


async def test_a_flood_has_others_try_again(
    listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As long as it lasts, and a while longer, one at a time may wait to be accepted."""
    connections = Connections({"api": Watched(listener.port, 1, TLS)}, 60, Budget(MIB, TLS))
    pairs = [listener.connect() for _ in range(Watched(0, 1, TLS).most + 1)]
    before, flooded = listener.backlog, await connections.look()
    during = listener.backlog
    for caller, _ in pairs:
        caller.close()
    still, after_some = await connections.look(), listener.backlog
    monkeypatch.setattr("orders.http.connections._CALM", 0)
    await connections.look()

    assert [True, False] == [flooded, still]
    assert [0, 0] == [during, after_some]
    assert 0 < before <= listener.backlog


async def test_without_tls_none_is_too_many(listener: Listener) -> None:
    """The server counts all of them: those of which something came go on."""
    connections = Connections({"api": Watched(listener.port, 4)}, 60, Budget(MIB))
    pairs = [listener.connect() for _ in range(4)]
    for caller, _ in pairs:
        caller.sendall(b"a")

    await connections.look()

    assert [True] * 4 == [is_open(caller) for caller, _ in pairs]


async def test_what_nobody_reads_is_charged(listener: Listener) -> None:
    """From the second look at it on, until it is read."""
    budget = Budget(MIB)
    connections = Connections({"api": Watched(listener.port, 9)}, 60, budget)
    caller, accepted = listener.connect()
    fill(accepted)
    seen = []
    for _ in range(3):
        await connections.look()
        seen.append(budget.used)
    caller.setblocking(False)  # noqa: FBT003  its name says it

    async def read() -> bool:
        with contextlib.suppress(BlockingIOError):
            while caller.recv(65_536):
                pass
        await connections.look()
        return budget.used == 0

    await eventually(read)

    assert [0, UNREAD, UNREAD] == seen
    assert {"api": 1} == connections.open


async def test_who_reads_nothing_is_closed_where_there_is_no_memory(listener: Listener) -> None:
    """Somebody else keeps what there was."""
    budget = Budget(2 * UNREAD)
    connections = Connections({"api": Watched(listener.port, 9)}, 60, budget)
    pairs = [listener.connect() for _ in range(3)]
    for _, accepted in pairs:
        fill(accepted)
    for _ in range(3):
        await connections.look()

    assert {"api": 1} == connections.open
    assert UNREAD == budget.used
