"""`orders dev` as a person runs it: its own PostgreSQL, Ctrl-C, and what may stand in the way."""

import os
import signal
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import psutil
import pytest

from tests.helpers.ignored_sigchld import deaf
from tests.helpers.ports import free_port
from tests.helpers.postgres import PostgresServer, reachable_folder
from tests.helpers.server import Server, eventually

Start = Callable[..., Server]
ORDER = {"item": "espresso beans, 1 kg", "quantity": 2}


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Have a folder for data, which is there for all tests of this module."""
    with reachable_folder() as found:
        yield found


def postmaster(folder: Path) -> psutil.Process:
    """Return the server process that has this data."""
    pid = (folder / "postgres" / "postmaster.pid").read_text(encoding="utf-8").split()[0]
    return psutil.Process(int(pid))


def runs(process: psutil.Process) -> bool:
    """Say whether it does, and has not only been left unburied by its parent."""
    return process.is_running() and process.status() != psutil.STATUS_ZOMBIE


def place_order(server: Server) -> str:
    """Place an order; return its URL."""
    answer = httpx.post(f"{server.url}/orders", json=ORDER)
    assert 201 == answer.status_code
    return server.url + answer.headers["location"]


async def test_it_says_where_everything_is(serve: Start, folder: Path) -> None:
    """Each address that it prints answers with 200."""
    server = serve("dev", ORDERS_DATA_DIR=str(folder))
    await eventually(lambda: "Ctrl-C" in server.output())
    words = server.output().split()
    found = {word for word in words if word.startswith("http")}

    assert {
        f"{server.url}/orders",
        f"{server.url}/docs",
        f"{server.url}/readyz?verbose",
        f"{server.metrics_url}/metrics",
    } == found
    async with httpx.AsyncClient() as client:
        assert {200} == {(await client.get(url)).status_code for url in found}


def test_ctrl_c_stops_everything(serve: Start, folder: Path) -> None:
    """An interrupt of the terminal's whole process group: status 0, no traceback, nothing left."""
    server = serve("dev", ORDERS_DATA_DIR=str(folder))
    database = postmaster(folder)
    os.killpg(server.process.pid, signal.SIGINT)

    assert 0 == server.stop()
    assert "Traceback" not in server.output()
    assert "all requests are answered" in server.output()
    assert not runs(database)


def test_orders_survive_a_restart(serve: Start, folder: Path) -> None:
    """An order that was placed is there the next time."""
    first = serve("dev", ORDERS_DATA_DIR=str(folder))
    order = place_order(first)
    first.stop()
    again = serve("dev", ORDERS_DATA_DIR=str(folder), HTTP_PORT=str(first.port))

    assert again.port == first.port
    assert ORDER.items() <= httpx.get(order).json().items()


def test_sigkill_leaves_no_postgresql_behind(serve: Start, folder: Path) -> None:
    """Its PostgreSQL ends with it, and the next start has every order."""
    first = serve("dev", ORDERS_DATA_DIR=str(folder))
    order = place_order(first)
    database = postmaster(folder)
    first.process.kill()
    first.process.wait()
    serve("dev", ORDERS_DATA_DIR=str(folder), HTTP_PORT=str(first.port))

    kept = httpx.get(order)

    assert 200 == kept.status_code
    assert not runs(database)


async def test_ctrl_c_in_the_middle_of_the_first_start(serve: Start) -> None:
    """Half-made data is not taken for data: the next start works."""
    with reachable_folder() as folder:
        first = serve("dev", wait_for=None, ORDERS_DATA_DIR=str(folder))
        await eventually((folder / "postgres.new" / "PG_VERSION").exists)
        os.killpg(first.process.pid, signal.SIGINT)
        ended = first.process.wait(10)
        again = serve("dev", ORDERS_DATA_DIR=str(folder))
        place_order(again)
        again.stop()

    assert 0 == ended
    assert "Traceback" not in first.output()


def test_a_parent_that_ignores_children_changes_nothing(serve: Start) -> None:
    """The data are made and orders placed where SIGCHLD is ignored, as under some CI runners."""
    with reachable_folder() as folder:
        with deaf():
            server = serve("dev", wait_for=None, ORDERS_DATA_DIR=str(folder))
        server.wait_for()
        place_order(server)
        assert 0 == server.stop()


def test_database_url_is_used_instead(
    serve: Start, database: str, postgres: PostgresServer, folder: Path
) -> None:
    """With DATABASE_URL orders go there, migrated, and no PostgreSQL is started."""
    elsewhere = folder / "untouched"
    server = serve("dev", DATABASE_URL=database, ORDERS_DATA_DIR=str(elsewhere))
    place_order(server)

    assert [(1,)] == postgres.execute("SELECT count(*) FROM orders", database)
    assert not elsewhere.exists()


def test_port_in_use_is_one_line(serve: Start, tmp_path: Path) -> None:
    """A port that somebody else has is named, with its variable, before anything is started."""
    with socket.create_server(("127.0.0.1", free_port())) as taken:
        port = taken.getsockname()[1]
        server = serve(
            "dev", wait_for=None, status=1, HTTP_PORT=str(port), ORDERS_DATA_DIR=str(tmp_path)
        )
        server.process.wait(10)

    assert (
        f"orders: HTTP_PORT is {port}: 127.0.0.1:{port}: Address already in use\n"
        == server.output()
    )
    assert not (tmp_path / "postgres").exists()


def test_data_has_one_user_at_a_time(serve: Start, folder: Path) -> None:
    """A second `orders dev` on the same data is refused in one line; the first goes on."""
    first = serve("dev", ORDERS_DATA_DIR=str(folder))
    second = serve("dev", wait_for=None, status=1, ORDERS_DATA_DIR=str(folder))
    second.process.wait(10)

    assert (
        f"orders: another `orders dev` has the data in {folder}; stop it, or set ORDERS_DATA_DIR"
        " to another folder\n"
    ) == second.output()
    place_order(first)
