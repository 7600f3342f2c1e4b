"""How the client behaves with an API server that is busy, broken or gone; over real HTTP."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import httpx2
import pytest
from aiohttp import web

from orders_operator.client import transport
from orders_operator.client.errors import ErrorReason, KubeError, from_answer
from orders_operator.client.kube import Kube, path
from orders_operator.client.partial import PARTIAL_LIST

Answer = Callable[[web.Request], Awaitable[web.StreamResponse]]


@pytest.fixture
async def server() -> AsyncIterator[Callable[[Answer], Awaitable[Kube]]]:
    """Start servers that answer as told, and clients of them."""
    runners: list[web.AppRunner] = []
    clients: list[Kube] = []

    async def start(answer: Answer) -> Kube:
        app = web.Application()
        app.router.add_route("*", "/{rest:.*}", answer)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        runners.append(runner)
        port = runner.addresses[0][1]
        clients.append(Kube(httpx2.AsyncClient(base_url=f"http://127.0.0.1:{port}")))
        return clients[-1]

    yield start
    for client in clients:
        await client.close()
    for runner in runners:
        await runner.cleanup()


Server = Callable[[Answer], Awaitable[Kube]]


def test_paths() -> None:
    """The core group has its own root; a subresource comes last."""
    assert "/api/v1/namespaces/ns/pods/p" == path("v1", "pods", "ns", "p")
    assert "/apis/apps/v1/deployments" == path("apps/v1", "deployments")
    assert "/apis/g/v1/namespaces/ns/xs/x/status" == path("g/v1", "xs", "ns", "x", "status")


async def test_a_busy_server_is_asked_again_when_it_says(server: Server) -> None:
    """429 with Retry-After is waited for."""
    times: list[float] = []

    async def answer(_: web.Request) -> web.Response:
        times.append(asyncio.get_running_loop().time())
        if len(times) == 1:
            return web.json_response({}, status=429, headers={"Retry-After": "1"})
        return web.json_response({"ok": True})

    kube = await server(answer)

    assert {"ok": True} == await kube.request("GET", "/x")
    assert times[1] - times[0] >= 1


async def test_a_broken_server_is_given_up(server: Server) -> None:
    """A few tries, then the error that the queue waits for."""
    calls: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        calls.append(request.method)
        return web.Response(status=503, text="<html>")

    kube = await server(answer)

    with pytest.raises(KubeError) as caught:
        await kube.request("GET", "/x", tries=2)
    assert (ErrorReason.UNAVAILABLE, 503) == (caught.value.reason, caught.value.status)
    assert 2 == len(calls)


async def test_nobody_there_is_unavailable() -> None:
    """A refused connection is the same error."""
    kube = Kube(httpx2.AsyncClient(base_url="http://127.0.0.1:1"))

    with pytest.raises(KubeError) as caught:
        await kube.request("GET", "/x", tries=1)
    await kube.close()

    assert (ErrorReason.UNAVAILABLE, 0) == (caught.value.reason, caught.value.status)


@pytest.mark.parametrize(
    ("status", "reason"),
    [
        (400, ErrorReason.INVALID),
        (401, ErrorReason.UNAUTHORIZED),
        (403, ErrorReason.FORBIDDEN),
        (404, ErrorReason.REFUSED),
        (409, ErrorReason.CONFLICT),
        (418, ErrorReason.REFUSED),
        (422, ErrorReason.INVALID),
    ],
)
async def test_a_refusal_is_not_repeated(server: Server, status: int, reason: ErrorReason) -> None:
    """What a second try cannot cure is one of a closed set of errors at once."""
    calls: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        calls.append(request.method)
        return web.json_response({"kind": "Status", "message": "no"}, status=status)

    kube = await server(answer)

    with pytest.raises(KubeError) as caught:
        await kube.request("POST", "/x", body={})
    assert reason is caught.value.reason
    assert 1 == len(calls)


async def test_an_error_about_a_secret_does_not_repeat_it(server: Server) -> None:
    """A validation error quotes values, and errors are logged."""

    async def answer(_: web.Request) -> web.Response:
        body = {"reason": "Invalid", "message": 'data: Invalid value: "hunter2"'}
        return web.json_response(body, status=422)

    kube = await server(answer)
    secret = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s", "namespace": "ns"}}

    with pytest.raises(KubeError) as caught:
        await kube.apply("secrets", secret, manager="m")
    assert "hunter2" not in str(caught.value)


async def test_a_proxy_in_between_says_why(server: Server) -> None:
    """It answers with plain text, of which one line is kept; a page of HTML says nothing."""

    async def answer(request: web.Request) -> web.Response:
        kind = "text/plain" if "plain" in request.path else "text/html"
        return web.Response(status=404, text="dial tcp:\nno such host\n", content_type=kind)

    kube = await server(answer)

    with pytest.raises(KubeError, match="dial tcp: no such host"):
        await kube.request("GET", "/plain")
    with pytest.raises(KubeError, match="HTTP 404"):
        await kube.request("GET", "/page")


async def test_lines_come_as_they_are_written(server: Server) -> None:
    """A line ends with a newline and nothing else, and the last one may have none."""
    chunks = [b"on", "e\ntw\u2028o\n\nth".encode(), b"ree"]

    async def answer(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for chunk in chunks:
            await response.write(chunk)
        return response

    kube = await server(answer)

    expected = [b"one", "tw\u2028o".encode(), b"", b"three"]
    assert expected == [line async for line in kube.lines("/log", {})]


async def test_lines_that_are_refused_are_an_error(server: Server) -> None:
    """The reason is the server's."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"message": "is waiting to start"}, status=400)

    kube = await server(answer)

    with pytest.raises(KubeError, match="is waiting to start") as caught:
        _ = [line async for line in kube.lines("/log", {})]
    assert ErrorReason.INVALID is caught.value.reason


async def test_lists_are_read_page_by_page(server: Server) -> None:
    """All pages, in order."""

    async def answer(request: web.Request) -> web.Response:
        if "continue" in request.query:
            return web.json_response({"items": [{"n": 2}], "metadata": {}})
        return web.json_response({"items": [{"n": 1}], "metadata": {"continue": "c"}})

    kube = await server(answer)

    assert [{"n": 1}, {"n": 2}] == await kube.list("v1", "pods", "ns", {"a": "b"})


def not_found(plural: str, name: str) -> dict[str, Any]:
    """Return what an API server says of an object that is not there."""
    details = {"kind": plural, "name": name}
    return {"kind": "Status", "reason": "NotFound", "details": details}


async def test_what_is_not_there_is_none(server: Server) -> None:
    """The API server says so of this very object, and of a subresource of it."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(not_found("xs", "x"), status=404)

    kube = await server(answer)

    assert await kube.get("g/v1", "xs", "ns", "x") is None
    await kube.delete("g/v1", "xs", "ns", "x", "uid")
    with pytest.raises(KubeError) as caught:
        await kube.request("GET", path("g/v1", "xs", "ns", "x", "status"))
    assert ErrorReason.NOT_FOUND is caught.value.reason


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"kind": "Status", "reason": "NotFound", "details": {}},
        not_found("namespaces", "ns"),
        not_found("xs", "other"),
        not_found("webhooks", "x"),
        {**not_found("xs", "x"), "reason": "Forbidden"},
    ],
)
async def test_another_404_says_nothing(server: Server, body: dict[str, Any]) -> None:
    """One of a proxy, of a webhook, or of a path that nobody serves, is a failure."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response(body, status=404)

    kube = await server(answer)

    calls: list[Callable[[], Awaitable[object]]] = [
        lambda: kube.get("g/v1", "xs", "ns", "x"),
        lambda: kube.list("g/v1", "xs", "ns"),
        lambda: kube.delete("g/v1", "xs", "ns", "x", "uid"),
        lambda: kube.serves("g/v1"),
    ]
    for call in calls:
        with pytest.raises(KubeError) as caught:
            await call()
        assert ErrorReason.REFUSED is caught.value.reason


async def test_what_is_served_is_what_the_list_of_groups_says(server: Server) -> None:
    """A group that is not in it is absent; anything else in its place is a failure."""
    groups: dict[str, Any] = {"groups": [{"versions": [{"groupVersion": "g/v1"}]}]}

    async def answer(request: web.Request) -> web.Response:
        if request.path != "/apis":
            return web.json_response({"resources": [{"name": "xs"}, {"name": "xs/status"}]})
        return web.json_response(groups)

    kube = await server(answer)
    with pytest.raises(KubeError, match="is not a list of API groups"):
        await kube.serves("g/v1")
    groups["kind"] = "APIGroupList"
    assert {"xs", "xs/status"} == await kube.serves("g/v1")
    assert frozenset() == await kube.serves("absent/v1")


async def test_an_answer_to_a_write_with_a_limit_is_final(server: Server) -> None:
    """The API server is told how long it may take, and is not asked again here."""
    limits: list[str] = []

    async def answer(request: web.Request) -> web.Response:
        limits.append(request.query["timeout"])
        return web.json_response({"message": "failed calling webhook"}, status=500)

    kube = await server(answer)
    wanted = {"apiVersion": "v1", "kind": "X", "metadata": {"name": "x", "namespace": "ns"}}

    with pytest.raises(KubeError, match="failed calling webhook") as caught:
        await kube.apply("xs", wanted, manager="m", seconds=2.5)
    assert (["2500ms"], False) == (limits, caught.value.lost)


async def test_a_server_that_does_not_answer_is_not_lost(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was reached: nothing follows for other calls."""
    monkeypatch.setattr(transport, "_GRACE_SECONDS", 0.01)
    waiting = asyncio.Event()

    async def answer(_: web.Request) -> web.Response:
        await waiting.wait()
        return web.json_response({})

    kube = await server(answer)

    with pytest.raises(KubeError) as caught:
        await kube.request("GET", "/x", tries=1, seconds=0.01)
    waiting.set()
    assert (ErrorReason.UNAVAILABLE, False) == (caught.value.reason, caught.value.lost)


@pytest.mark.parametrize(
    ("status", "body", "lost"),
    [
        (401, {}, True),
        (403, {}, False),
        (403, {"details": {"causes": [{"reason": "NamespaceTerminating"}]}}, True),
        (429, {}, False),
        (503, {}, False),
    ],
)
def test_what_says_something_of_other_calls(status: int, body: dict[str, Any], lost: bool) -> None:  # noqa: FBT001  a case
    """Nobody of our name, and a namespace that goes; a refusal of one call says nothing."""
    assert lost is from_answer(status, body, "GET /x").lost


async def test_metadata_alone_is_asked_for(server: Server) -> None:
    """A list of names asks for no content, reads every page, and keeps nothing else."""
    accepted: set[str | None] = set()

    async def answer(request: web.Request) -> web.Response:
        accepted.add(request.headers.get("Accept"))
        more = request.query.get("continue")
        metadata = {"name": "b" if more else "a", "namespace": "ns", "resourceVersion": "7"}
        page = {"resourceVersion": "9"} if more else {"continue": "more"}
        item = {"metadata": {**metadata, "annotations": {"x": "y"}}, "data": {"url": "secret"}}
        return web.json_response({"metadata": page, "items": [item]})

    kube = await server(answer)

    found = [it async for it in kube.metadata("v1", "secrets")]

    assert [("a", "ns", "7"), ("b", "ns", "7")] == [
        (it.name, it.namespace, it.resource_version) for it in found
    ]
    assert {PARTIAL_LIST} == accepted


async def test_an_answer_of_another_form_is_an_error(server: Server) -> None:
    """What is no list is not taken for an empty one."""

    async def answer(_: web.Request) -> web.Response:
        return web.json_response({"kind": "Status"})

    kube = await server(answer)

    with pytest.raises(KubeError) as caught:
        await kube.may_list("v1", "secrets", None)
    assert ErrorReason.UNAVAILABLE is caught.value.reason
