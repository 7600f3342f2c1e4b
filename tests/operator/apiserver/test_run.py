"""Whole processes: the lease, who takes it over, and how a process ends."""

import asyncio
import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from orders_operator.client.lease import API_VERSION, PLURAL
from orders_operator.run import run
from orders_operator.scopes import NAMESPACE_LEASE
from orders_operator.settings import Settings
from tests.helpers.apiserver.operator_namespace import IMAGE, NAME, NEXT, World
from tests.helpers.apiserver.running_leader import UNCLOSED, becomes, is_rolled_out
from tests.helpers.ports import free_port
from tests.helpers.server import Server, eventually

LEASE = "orders-operator"
WITHIN = 40.0
"""Seconds until a process works that could not see how its namespace was held before."""

pytestmark = UNCLOSED


class Process(Server):
    """An operator as a process of its own."""

    program = ("-m", "orders_operator")


@pytest.fixture
def start(world: World, tmp_path: Path) -> Iterator[Callable[[str], Process]]:
    """Start operators for the namespace by their names."""
    made: list[Process] = []

    def begin(name: str) -> Process:
        process = Process(
            tmp_path / f"{name}.log",
            "run",
            KUBECONFIG=os.environ["KUBECONFIG"],
            POD_NAME=name,
            POD_NAMESPACE=world.namespace,
            WATCH_NAMESPACES=world.namespace,
        )
        made.append(process)
        return process

    yield begin
    for process in made:
        process.stop()


async def lease(world: World) -> dict[str, Any]:
    """Return what the Lease says."""
    found: dict[str, Any] = (await world.get(API_VERSION, PLURAL, LEASE))["spec"]
    return found


def is_led(world: World, by: str) -> Callable[[], Any]:
    """Return what asks whether a process holds the lease."""

    async def ask() -> bool:
        found = await world.find(API_VERSION, PLURAL, LEASE)
        return found is not None and found["spec"].get("holderIdentity") == by

    return ask


def settings(world: World) -> Settings:
    """Return the settings of an operator in this very process."""
    return Settings(
        namespaces=(world.namespace,),
        pod_namespace=world.namespace,
        pod_name="me",
        metrics_port=free_port(),
    )


async def test_it_works_until_it_is_told_to_stop(world: World) -> None:
    """A process leads, works and answers probes; SIGTERM ends it with 0 and frees the lease."""
    await world.declare()
    mine = settings(world)
    running = asyncio.ensure_future(run(mine))
    await becomes(world, is_rolled_out(world), within=WITHIN)
    url = f"http://127.0.0.1:{mine.metrics_port}"
    async with httpx.AsyncClient() as http:
        answers = [(await http.get(f"{url}/{it}")).status_code for it in ("livez", "readyz")]
        exposed = (await http.get(f"{url}/metrics")).text
    assert [200, 200] == answers
    assert "orders_operator_leader 1.0" in exposed
    assert "me" == (await lease(world))["holderIdentity"]
    claim = await world.get(API_VERSION, PLURAL, NAMESPACE_LEASE)
    assert f"{world.namespace}/{LEASE}/me" == claim["spec"]["holderIdentity"]
    os.kill(os.getpid(), signal.SIGTERM)
    assert 0 == await asyncio.wait_for(running, 10)
    assert not (await lease(world)).get("holderIdentity")


async def test_a_process_that_loses_the_lease_ends(world: World) -> None:
    """A leader whose lease is somebody else's ends with 1, so that a new process begins."""
    running = asyncio.ensure_future(run(settings(world)))
    await eventually(is_led(world, "me"))
    where = world.url(API_VERSION, PLURAL, LEASE)
    await world.kube.merge(where, {"spec": {"holderIdentity": "other"}})
    assert 1 == await asyncio.wait_for(running, 15)
    assert "other" == (await lease(world))["holderIdentity"]


async def test_a_process_without_a_cluster_ends(
    world: World, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Where there is no way to an API server, a process says so and ends."""
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    monkeypatch.setenv("HOME", str(tmp_path))
    assert 1 == await run(settings(world))


async def test_a_process_without_its_port_ends(world: World) -> None:
    """A port that is taken ends a process before it does anything."""
    mine = settings(world)
    server = await asyncio.start_server(lambda *_: None, "127.0.0.1", mine.metrics_port)
    async with server:
        assert 1 == await run(mine)
    assert await world.find(API_VERSION, PLURAL, LEASE) is None


async def two(world: World, start: Callable[[str], Process]) -> Process:
    """Return a process that works, while another waits that will work at once when it leads."""
    first = start("first")
    await eventually(is_led(world, "first"), within=WITHIN)
    second = start("second")
    await eventually(lambda: "waiting for the lease of first" in second.output(), within=WITHIN)
    await becomes(world, is_rolled_out(world), within=WITHIN)
    return first


async def test_another_process_takes_over_at_once(
    world: World, start: Callable[[str], Process]
) -> None:
    """The process that waits goes on when the leader is told to stop."""
    await world.declare()
    first = await two(world, start)
    assert "first" == (await lease(world))["holderIdentity"]
    assert 0 == first.stop()
    await eventually(is_led(world, "second"), within=WITHIN)
    await world.change(image=NEXT)

    async def replaced() -> bool:
        return await world.images() == [NEXT]

    await becomes(world, replaced, within=WITHIN)


async def test_another_process_takes_over_from_a_dead_one(
    world: World, start: Callable[[str], Process]
) -> None:
    """The lease of a leader that was killed runs out, and what it has done is left alone."""
    await world.declare()
    first = await two(world, start)
    first.process.kill()
    first.process.wait()
    before = await world.versions()
    where = world.url(API_VERSION, PLURAL, LEASE)
    await world.kube.merge(where, {"spec": {"leaseDurationSeconds": 1}})
    await eventually(is_led(world, "second"), within=WITHIN)
    await world.delete("v1", "services", NAME)

    async def back() -> bool:
        return await world.find("v1", "services", NAME) is not None

    await eventually(back, within=WITHIN)
    after = await world.versions()
    assert {("services", NAME)} == {it for it in before if before[it] != after.get(it)}
    assert [IMAGE] == await world.images()
