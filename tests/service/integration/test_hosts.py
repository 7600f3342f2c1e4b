"""Several hosts and addresses: whichever is well is found in time, and nothing is left behind."""

import asyncio
import socket
import time
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from orders.batch import ConnectionLost
from orders.config import Config
from orders.store.addresses import Address, Addresses
from orders.store.connections import HeldConnection
from orders.store.connector import CannotConnect, Connector
from orders.store.migrate import migrate
from tests.helpers.blackhole_proxy import middle
from tests.helpers.ports import free_port
from tests.helpers.postgres import Databases, PostgresServer
from tests.helpers.server import Server, eventually
from tests.helpers.stopped_processes import stopped

Start = Callable[..., Server]

ORDER = {"item": "tea", "quantity": 1}


def through(url: str, *ports: int) -> str:
    """Return the URL with other ports of 127.0.0.1 before its own host."""
    place = urlsplit(url)
    hosts = ",".join([*(f"127.0.0.1:{port}" for port in ports), f"{place.hostname}:{place.port}"])
    return place._replace(netloc=f"{place.username}@{hosts}").geturl()


def only(url: str, port: int) -> str:
    """Return the URL at another port of 127.0.0.1."""
    place = urlsplit(url)
    return place._replace(netloc=f"{place.username}@127.0.0.1:{port}").geturl()


def connector(url: str) -> Connector:
    """Make what connects there."""
    database = Config.from_env({"DATABASE_URL": url}).needed_database()
    return Connector(database, statement_timeout=5)


@pytest.mark.parametrize("dead", ["silent", "silent and closed", "two silent"])
async def test_a_create_finds_the_host_that_is_well(
    database_url: str, serve: Start, dead: str
) -> None:
    """Hosts before it that say nothing, or are closed, cost a create latency and no answer."""
    async with middle(silent=True) as first, middle(silent=True) as second:
        ports = {
            "silent": [first.port],
            "silent and closed": [first.port, free_port()],
            "two silent": [first.port, second.port],
        }
        server = serve(DATABASE_URL=through(database_url, *ports[dead]), wait_for="/livez")
        async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
            answer = await client.post("/orders", json=ORDER)

            async def ready() -> bool:
                return (await client.get("/readyz")).status_code == 200

            await eventually(ready)

    assert 201 == answer.status_code


async def test_a_connection_that_is_closed_is_made_anew_where_it_was(
    postgres: Databases, database_url: str
) -> None:
    """A server that closes connections still speaks, so hosts that are silent come after it."""
    async with middle(silent=True) as first:
        held = HeldConnection(connector(through(database_url, first.port)))
        held.open()
        await held.ready()
        before = first.taken
        await asyncio.to_thread(postgres.terminate_backends, database_url)
        with pytest.raises(ConnectionLost):
            await held.fetch("SELECT $1::int", [1])
        await held.ready()
        after = first.taken
        await held.close()

    assert before == after


async def test_a_migration_finds_the_host_that_is_well(database: str) -> None:
    """`orders migrate` walks the hosts as the service does, with and without `--wait`."""
    async with middle(silent=True) as first:
        done = await migrate(through(database, first.port, free_port()))
        again = await migrate(through(database, first.port), wait=10)

    assert done.version == len(done.applied) == again.version


async def test_the_addresses_of_a_name_are_hosts(
    database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A name whose first address is silent and whose second is closed is connected to, in time."""
    place = urlsplit(database)
    known = socket.getaddrinfo
    ips = ("127.0.0.2", "127.0.0.3", "127.0.0.1")

    def look_up(name: str, port: int, **how: Any) -> list[Any]:
        found = [known(ip, port, **how) for ip in ips] if name == "db.example" else []
        return [address for one in found for address in one] or known(name, port, **how)

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    url = place._replace(netloc=f"{place.username}@db.example:{place.port}").geturl()
    async with middle(silent=True, host=ips[0], port=place.port or 0) as first:
        session = await connector(url).connect()
        session.close()
        done = await migrate(url, wait=10)

    assert first.taken >= 2
    assert session.address.ip == ips[2]
    assert done.version == len(done.applied)


async def test_a_primary_that_stands_still_is_left(
    postgres: Databases, private_postgres: PostgresServer
) -> None:
    """Connections to a server whose processes are all stopped are made to the next host."""
    url, other = private_postgres.database(), postgres.url("postgres")
    place, name = urlsplit(other), urlsplit(url).path.removeprefix("/")
    port = urlsplit(url).port or 0
    made = connector(urlsplit(through(other, port))._replace(path=f"/{name}").geturl())
    postgres.execute(f"CREATE DATABASE {name} TEMPLATE template0")
    try:
        before = await made.connect()
        with stopped(private_postgres.pid, *private_postgres.backend_pids(url)):
            started = time.monotonic()
            after = await made.connect()
            seconds = time.monotonic() - started
        again = await made.connect()
        for session in (before, after, again):
            session.close()
    finally:
        postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")

    assert before.address.port == port
    assert after.address == again.address
    assert after.address.port == place.port
    assert seconds < 5


async def test_a_create_leaves_a_primary_that_stands_still(
    postgres: Databases, private_postgres: PostgresServer, serve: Start
) -> None:
    """A service whose every connection turns silent answers a create from the next host."""
    url, other = private_postgres.migrated_database(), postgres.migrated_database()
    name = urlsplit(url).path.removeprefix("/")
    made = f"{name}_second"
    postgres.execute(f"CREATE DATABASE {made} TEMPLATE {urlsplit(other).path.removeprefix('/')}")
    private_postgres.execute(f"ALTER DATABASE {name} RENAME TO {made}")
    hosts = through(other, urlsplit(url).port or 0)
    try:
        server = serve(DATABASE_URL=urlsplit(hosts)._replace(path=f"/{made}").geturl())
        backends = private_postgres.backend_pids(private_postgres.url(made))
        async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
            before = await client.post("/orders", json=ORDER)
            with stopped(private_postgres.pid, *backends):
                after = await client.post("/orders", json=ORDER)
        stored = postgres.execute("SELECT count(*) FROM orders", postgres.url(made))
        server.stop()
    finally:
        postgres.execute(f"DROP DATABASE {made} WITH (FORCE)")
        private_postgres.execute(f"DROP DATABASE {made} WITH (FORCE)")

    assert [201, 201] == [before.status_code, after.status_code]
    assert [(1,)] == stored


async def test_tries_that_hang_hold_no_socket(database: str) -> None:
    """However long a host is silent, a connection that is wanted has one socket there at most."""
    most = 0
    async with middle(silent=True) as first, middle(silent=True) as second:
        lanes = [
            HeldConnection(connector(only(through(database, first.port), second.port)))
            for _ in range(2)
        ]
        for lane in lanes:
            lane.open()

        def tried() -> bool:
            nonlocal most
            most = max(most, first.open + second.open)
            return second.taken >= 3 * len(lanes)

        await eventually(tried)
        for lane in lanes:
            await lane.close()
        await eventually(lambda: first.open + second.open == 0)

    assert most <= len(lanes)


async def test_a_host_that_answers_again_is_found(database: str) -> None:
    """Connections that a load balancer swallowed are given up, and new ones are made."""
    async with middle(urlsplit(database).port or 0, silent=True) as between:
        lane = HeldConnection(connector(only(database, between.port)))
        lane.open()
        await eventually(lambda: between.taken >= 1)
        between.silent = False
        async with asyncio.timeout(10):
            await lane.ready()
        found = await lane.fetch("SELECT $1::int", [1])
        await lane.close()

    assert [(1,)] == found


async def test_a_log_line_names_the_host_and_its_address() -> None:
    """Each address that was tried is named with its reason, in one order."""
    port = free_port()
    with pytest.raises(CannotConnect) as caught:
        await connector(f"postgresql://me@localhost:{port},127.0.0.1:{port}/x").connect()

    assert f"localhost:{port} (127.0.0.1): " in str(caught.value)
    assert f"; 127.0.0.1:{port}: " in f"; {caught.value}"
    assert "refused" in str(caught.value)


async def test_a_name_that_nobody_knows_is_one_of_several(database: str) -> None:
    """A name without an address is passed over; alone, it is named."""
    place = urlsplit(database)
    url = place._replace(
        netloc=f"{place.username}@nowhere.invalid:1,{place.hostname}:{place.port}"
    )
    session = await connector(url.geturl()).connect()
    session.close()
    with pytest.raises(CannotConnect, match=r"^nowhere\.invalid:1: "):
        await connector("postgresql://me@nowhere.invalid:1/x").connect()


async def test_what_worked_last_is_first_and_what_was_silent_last() -> None:
    """The order of tries follows what was found, and else the configuration."""
    hosts = [Address(f"10.0.0.{n}", 5432, f"10.0.0.{n}") for n in range(3)]
    addresses = Addresses(hosts, timeout=1)
    addresses.failed(hosts[0], silent=True)
    order = await addresses.find({})
    addresses.worked(hosts[0])

    assert [hosts[1], hosts[2], hosts[0]] == order
    assert hosts == await addresses.find({})
    assert hosts[0] == addresses.last
