"""A connect that hangs: the driver cannot stop it, so its socket is shut, or it is waited for."""

import asyncio
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from orders.config import Config
from orders.store import opening, sockets
from orders.store.addresses import Address
from orders.store.opening import Opener
from tests.helpers.blackhole_proxy import middle
from tests.helpers.postgres import PostgresServer
from tests.helpers.server import eventually
from tests.helpers.stopped_processes import stopped


def opener(url: str) -> tuple[Opener, Address]:
    """Make what connects to a database, and its address."""
    database = Config.from_env({"DATABASE_URL": f"{url}?sslmode=disable"}).needed_database()
    place = urlsplit(url)
    return Opener(database), Address("127.0.0.1", place.port or 0)


async def give_up(opens: Opener, address: Address, name: str, *, pooled: bool = False) -> None:
    """Try to connect to what is silent, for a moment."""
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.2):
            await opens.open(address, name, pooled=pooled)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux lists descriptors")
async def test_the_socket_of_a_try_that_is_given_up_is_shut() -> None:
    """It is that one alone: another connection to the same silent port stays."""
    async with middle(silent=True) as silent:
        url = f"postgresql://me@127.0.0.1:{silent.port}/x"
        opens, address = opener(url)
        stays = asyncio.ensure_future(opener(url)[0].open(address, "stays"))
        await eventually(lambda: silent.open == 1)
        await give_up(opens, address, "given up")
        await eventually(lambda: silent.taken == 2 and silent.open == 1)
        assert not stays.done()
        stays.cancel()
        await asyncio.gather(stays, return_exceptions=True)
        await eventually(lambda: silent.open == 0)


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="only Linux lists descriptors")
async def test_a_try_hangs_in_a_pooler_for_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where a pooler answered, the same try is waited for again and again, but not for ever."""
    async with middle(silent=True) as silent:
        opens, address = opener(f"postgresql://me@127.0.0.1:{silent.port}/x")
        for name in ("first", "second", "third"):
            await give_up(opens, address, name, pooled=True)
        taken = silent.taken
        monkeypatch.setattr(opening, "_IN_A_POOLER", 0.1)
        await give_up(opens, address, "fourth", pooled=True)
        await eventually(lambda: silent.open == 0)

    assert 1 == taken


async def test_where_no_socket_can_be_shut_a_try_is_waited_for(
    private_postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next connection takes what the first try opens, instead of a second one beside it."""
    monkeypatch.setattr(sockets, "shut", lambda _: None)
    url = private_postgres.database()
    opens, address = opener(url)
    with stopped(private_postgres.pid):
        await give_up(opens, address, "first")
        waiting = asyncio.ensure_future(opens.open(address, "second"))
        await asyncio.sleep(0)
    opened = await waiting
    backends = private_postgres.backend_pids(url)
    opened.close()

    assert "first" == opened.name
    assert 1 == len(backends)


async def test_what_opens_too_late_for_anybody_is_closed(
    private_postgres: PostgresServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A connection that nobody waits for any more does not stay."""
    monkeypatch.setattr(sockets, "shut", lambda _: None)
    url = private_postgres.database()
    opens, address = opener(url)
    with stopped(private_postgres.pid):
        await give_up(opens, address, "late")
        assert [1] == [len(tries) for tries in opens._hung.values()]
    await eventually(lambda: not any(opens._hung.values()))
    await eventually(lambda: private_postgres.backend_pids(url) == [])
    opened = await opens.open(address, "next")
    opened.close()

    assert "next" == opened.name


def test_marks_are_different_and_come_back() -> None:
    """No two connections that live have one mark."""
    marks = [sockets.take_mark() for _ in range(100)]
    for mark in marks:
        sockets.give_back(mark)

    assert 100 == len(set(marks))
