"""What a load does when too much is in flight, when it is refused, and when it is to stop."""

import asyncio
import json

import pytest

from orders_operator.load import engine
from orders_operator.load.engine import Load
from orders_operator.load.settings import LoadSettings
from tests.helpers.scripted_server import Caller, odd_server
from tests.helpers.server import eventually

REFUSAL = b"HTTP/1.1 503 Service Unavailable\r\nRetry-After: 0\r\nContent-Length: 0\r\n\r\n"
ID = "0199d2f6-7c1e-7b52-9d5c-0f6b8a1c2e3d"


async def hang(caller: Caller) -> None:
    """Take a request and do not answer."""
    await caller.request()
    await caller.gone()


async def refuse(caller: Caller) -> None:
    """Have no time."""
    while await caller.request():
        caller.send(REFUSAL)


async def test_a_request_over_the_bound_is_not_started(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that hangs has so many requests in flight; the others fail at once."""
    monkeypatch.setattr(engine, "IN_FLIGHT", 5)
    over = asyncio.Event()

    async def hang_until_over(caller: Caller) -> None:
        await caller.request()
        await over.wait()

    async with odd_server(hang_until_over) as server, asyncio.TaskGroup() as group:
        load = Load(LoadSettings(server.url, rate=1000, duration=0.05))
        group.create_task(load.run())
        await eventually(lambda: load.report().failed == 45)
        over.set()
    report = load.report()

    assert 50 == report.requests == report.failed
    assert {"NotStarted": 45, "ServerDisconnected": 5} == report.errors
    assert [(None, 5)] * 5 == [(entry.id, report.unknown) for entry in load.ledger()]
    assert {(0, "waiting")} == {
        (each.attempt, each.phase) for each in report.failures if each.what == "NotStarted"
    }
    assert 5 == len(server.callers)


async def test_a_refusal_that_stays_is_a_failure() -> None:
    """After its retries the request counts as refused; its order does not exist."""
    async with odd_server(refuse) as server:
        load = Load(LoadSettings(server.url, rate=1000, duration=0.005, retries=1))
        await load.run()
    report = load.report()

    assert (5, 5, 5) == (report.requests, report.failed, report.refused)
    assert ({"503": 10}, {}) == (report.statuses, report.errors)
    assert [("503", 2)] * 5 == [(each.what, each.attempt) for each in report.failures]
    assert [("503", 1)] * 5 == [(each.what, each.attempt) for each in report.retries]
    assert [] == list(load.ledger())


async def test_a_try_has_the_key_of_the_try_before() -> None:
    """So the service can tell that it is the same order; `Connection: close` goes with it."""
    heads: list[bytes] = []

    async def fail_once(caller: Caller) -> None:
        heads.append(head := await caller.request())
        if len(heads) > 1:
            order = json.dumps({"id": ID, "item": f"load {key(head)}", "quantity": 1}).encode()
            caller.send(b"HTTP/1.1 201 Created\r\nContent-Length: %d\r\n\r\n" % len(order) + order)
            await caller.gone()

    async with odd_server(fail_once) as server:
        load = Load(LoadSettings(server.url, rate=1, duration=1, fresh=1, retries=1))
        await load.run()
    report = load.report()

    assert 2 == len(heads)
    assert heads[0] == heads[1]
    assert b"\r\nConnection: close\r\n" in heads[0]
    assert (1, 1, {"ServerDisconnected": 1}) == (report.succeeded, report.retried, report.errors)
    assert [(ID, key(heads[0]))] == [(entry.id, entry.key) for entry in load.ledger()]


async def test_a_load_that_is_stopped_ends_what_is_in_flight() -> None:
    """It waits as long as a try may take; then what would be tried again is cut off."""
    async with odd_server(hang) as server:
        load = Load(LoadSettings(server.url, rate=100, duration=None, timeout=0.2, retries=100))
        async with asyncio.TaskGroup() as group:
            group.create_task(load.run())
            await eventually(lambda: len(server.callers) > 3)
            load.stop()
            assert load.report().ended_at is None
    report = load.report()

    assert report.ended_at is not None
    assert report.requests == report.failed == report.errors["CutOff"] == report.unknown
    assert {"CutOff"} == {failure.what for failure in report.failures}


async def test_a_load_that_is_stopped_first_sends_nothing() -> None:
    """A signal may come before the first request."""
    load = Load(LoadSettings("http://127.0.0.1:9", duration=None))
    load.stop()
    await load.run()

    assert 0 == load.report().requests


def key(head: bytes) -> str:
    """Return the Idempotency-Key of a request."""
    return head.partition(b'Idempotency-Key: "')[2].partition(b'"')[0].decode()
