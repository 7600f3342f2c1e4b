"""The operator's measurements, in order."""

import asyncio
import contextlib
import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from msgspec import Struct, json

from bench import machine, paths
from bench.operator.control_plane import control_plane, version
from bench.operator.population import NEIGHBOUR_BYTES, Population
from bench.operator.running import Operator, OperatorError, operator
from orders_operator import definition
from orders_operator.api.spec import API_VERSION, PLURAL
from orders_operator.client.kube import path
from tests.helpers.apiserver.recording_client import Recording

REST_SECONDS: Final = 75.0
"""How long the operator has nothing to do before its memory counts: longer than an interval."""
RESYNC: Final = "1m"
_PATIENCE_SECONDS: Final = 1800.0
_PAUSE_SECONDS: Final = 3.0
_LOOK_SECONDS: Final = 0.02
_REPLICAS: Final = 3

Say = Callable[[str], None]


class Memory(Struct, frozen=True):
    """One run: MiB, CPU seconds until all objects were reconciled, and how long that took."""

    services: int
    neighbours: int
    rest_mib: float
    peak_mib: float
    start_seconds: float
    start_cpu_seconds: float
    minute_cpu_seconds: float


class Changes(Struct, frozen=True):
    """Seconds until changes were acted on while all OrderServices were looked at anew."""

    services: int
    start_seconds: float
    away_seconds: float
    """Of one that was made while no operator ran, from its start."""
    seconds: list[float]


class Found(Struct, frozen=True):
    """All that was measured, and on what."""

    machine: dict[str, str]
    kubernetes: str
    python: str
    neighbour_bytes: int
    memory: list[Memory]
    changes: Changes | None


class Plan(Struct, frozen=True):
    """How much: OrderServices for the memory and for the changes, and neighbours of each kind."""

    services: int = 500
    neighbours: int = 5000
    changed: int = 1000


def measure(plan: Plan, say: Say) -> Found:
    """Measure memory without and with neighbours, then how soon changes are acted on."""
    with control_plane() as kubeconfig:
        os.environ["KUBECONFIG"] = str(kubeconfig)
        if definition.apply():
            raise SystemExit("the definition could not be applied")
        return asyncio.run(_measure(plan, kubeconfig, say))


async def _measure(plan: Plan, kubeconfig: Path, say: Say) -> Found:
    kube = Recording.connect()
    try:
        population = Population(kube)
        await _populate(population, plan.services, kubeconfig, say)
        memory = [await _memory(population, 0, kubeconfig, say)]
        if plan.neighbours:
            await population.neighbours(plan.neighbours)
            say(f"{plan.neighbours:,} Secrets and as many ConfigMaps are there")
            memory.append(await _memory(population, plan.neighbours, kubeconfig, say))
        changes = None
        if plan.changed:
            await _populate(population, plan.changed, kubeconfig, say)
            changes = await _changes(population, kubeconfig, say)
    finally:
        await kube.close()
    python = machine.python()
    return Found(machine.describe(), version(), python, NEIGHBOUR_BYTES, memory, changes)


async def _populate(population: Population, number: int, kubeconfig: Path, say: Say) -> None:
    """Bring the cluster to a number of OrderServices, all of them ready."""
    began = time.monotonic()
    await population.declare(number)
    ready = 0
    while ready < number:
        with contextlib.suppress(OperatorError), operator(kubeconfig) as running:
            while ready < number:  # where the machine stalls, an operator may lose its lease
                await population.settle()
                ready = await asyncio.to_thread(running.ready)
                _check(began)
    say(f"{number:,} OrderServices are ready after {time.monotonic() - began:.0f} s")


async def _memory(population: Population, neighbours: int, kubeconfig: Path, say: Say) -> Memory:
    services = len(population.keys)
    with operator(kubeconfig, resync=RESYNC) as running:
        took = await _looked_at(running, services)
        cpu = running.cpu_seconds()
        await asyncio.sleep(REST_SECONDS / 3)
        rested = running.cpu_seconds()
        samples = []
        for _ in range(20):
            await asyncio.sleep(REST_SECONDS / 30)
            samples.append(running.memory_mib())
        spent = (running.cpu_seconds() - rested) / (REST_SECONDS * 2 / 3) * 60
        found = Memory(
            services=services,
            neighbours=neighbours,
            rest_mib=round(statistics.median(samples), 1),
            peak_mib=round(running.peak_mib(), 1),
            start_seconds=round(took, 1),
            start_cpu_seconds=round(cpu, 1),
            minute_cpu_seconds=round(spent, 1),
        )
    say(f"memory: {found}")
    return found


async def _looked_at(running: Operator, services: int) -> float:
    """Wait until every OrderService has been looked at once, and nothing waits; return when."""
    while running.looked_at() < services or running.waiting():
        await asyncio.sleep(0.5)
        _check(running.began)
    return time.monotonic() - running.began


async def _changes(population: Population, kubeconfig: Path, say: Say) -> Changes:
    """Change one OrderService after the other, from the far end of every list."""
    left = sorted(population.keys)
    kube = Recording.connect()
    try:
        away = left.pop()
        await _scale(kube, away)
        with operator(kubeconfig) as running:
            missed = asyncio.ensure_future(_acted_on(kube, away, running.began))
            await asyncio.to_thread(running.lead)
            seconds = []
            while running.looked_at() < len(population.keys):
                key = left.pop()
                began = time.monotonic()
                await _scale(kube, key)
                seconds.append(round(await _acted_on(kube, key, began), 2))
                say(f"a change of one of {len(population.keys):,}: {seconds[-1]} s")
                await asyncio.sleep(_PAUSE_SECONDS)
            took = time.monotonic() - running.began
            found = Changes(len(population.keys), round(took, 1), round(await missed, 2), seconds)
    finally:
        await kube.close()
    say(f"changes: {found}")
    return found


async def _scale(kube: Recording, key: tuple[str, str]) -> None:
    await kube.merge(path(API_VERSION, PLURAL, *key), {"spec": {"replicas": _REPLICAS}})


async def _acted_on(kube: Recording, key: tuple[str, str], began: float) -> float:
    """Return the seconds until its Deployment has the change."""
    while True:
        found: Any = await kube.get("apps/v1", "deployments", *key)
        if found is not None and found["spec"]["replicas"] == _REPLICAS:
            return time.monotonic() - began
        _check(began)
        await asyncio.sleep(_LOOK_SECONDS)


def _check(began: float) -> None:
    if time.monotonic() - began > _PATIENCE_SECONDS:
        raise SystemExit("the operator does not come to an end")


def save(found: Found) -> None:
    """Write the figures as indented JSON."""
    paths.OPERATOR.write_bytes(json.format(json.encode(found), indent=1) + b"\n")


def read() -> Found | None:
    """Read what `save` wrote, if anything."""
    there = paths.OPERATOR.exists()
    return json.decode(paths.OPERATOR.read_bytes(), type=Found) if there else None
