"""What Kopf asks an API server for, and what of the answers reaches it; over real HTTP."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import kopf
import pytest
from aiohttp import web

from orders_operator.api.spec import API_VERSION, PLURAL
from orders_operator.client.partial import PARTIAL, PARTIAL_LIST
from orders_operator.handlers import Watches
from orders_operator.session import Session
from orders_operator.watch_events import WatchedKind, WatchEvent
from tests.helpers.server import eventually

KINDS = (
    WatchedKind("v1", "secrets", fields="type!=helm.sh/release.v1"),
    WatchedKind(API_VERSION, PLURAL, whole=True),
)
SECRET = "c2VjcmV0"


def obj(name: str, **more: Any) -> dict[str, Any]:
    """Return an object as a list has it."""
    annotations = {"kubectl.kubernetes.io/last-applied-configuration": SECRET}
    metadata = {"name": name, "namespace": "ns", "uid": f"uid-{name}", "resourceVersion": "7"}
    return {"metadata": {**metadata, "annotations": annotations}, "data": {"x": SECRET}, **more}


def _discovery(path: str) -> dict[str, Any]:
    """Return what Kopf asks about groups, versions and kinds."""
    kinds = [*KINDS, WatchedKind("v1", "namespaces")]  # without them it waits
    version = {"groupVersion": API_VERSION, "version": API_VERSION.partition("/")[2]}
    resources = [
        {
            "name": it.plural,
            "singularName": "",
            "kind": it.plural,
            "namespaced": True,
            "verbs": ["list", "watch", "patch"],
        }
        for it in kinds
        if path.endswith(f"/{it.api_version}")
    ]
    group = {"name": "orders.dev", "versions": [version], "preferredVersion": version}
    return {"versions": ["v1"], "groups": [group], "resources": resources}


class Server:
    """An API server that lists two objects of each kind, and tells of what it is told to."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, bool, str | None]] = []
        """Of each request the kind, whether it is a watch, and `Accept`."""
        self.events: dict[str, asyncio.Queue[bytes]] = {it.plural: asyncio.Queue() for it in KINDS}

    async def answer(self, request: web.Request) -> web.StreamResponse:
        """Answer discovery, lists and watches."""
        *_, last = request.path.split("/")
        if last not in self.events:
            return web.json_response(_discovery(request.path))
        watch = request.query.get("watch") == "true"
        self.asked.append((last, watch, request.headers.get("Accept")))
        if watch:
            return await self._stream(request, last)
        if not request.query.get("continue"):
            listed = {"resourceVersion": "7", "continue": "more"}
            return web.json_response({"metadata": listed, "items": [obj("known")]})
        return web.json_response(
            {"metadata": {"resourceVersion": "7"}, "items": [obj("stranger")]}
        )

    async def _stream(self, request: web.Request, plural: str) -> web.StreamResponse:
        answer = web.StreamResponse(headers={"Content-Type": "application/json"})
        await answer.prepare(request)
        while True:
            await answer.write(await self.events[plural].get())

    def tell(self, plural: str, kind: str, it: dict[str, Any], *, parts: int = 1) -> None:
        """Send an event of a watch, in so many parts."""
        line = json.dumps({"type": kind, "object": it}).encode() + b"\n"
        for part in range(parts):
            self.events[plural].put_nowait(
                line[part * len(line) // parts :][: -(-len(line) // parts)]
            )


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> AsyncIterator[Server]:
    """Have an API server, and a kubeconfig that leads to it."""
    made = Server()
    app = web.Application()
    app.router.add_route("*", "/{rest:.*}", made.answer)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    write_kubeconfig(monkeypatch, tmp_path, runner.addresses[0][1])
    yield made
    await runner.cleanup()


def write_kubeconfig(monkeypatch: pytest.MonkeyPatch, folder: Path, port: int) -> None:
    """Have KUBECONFIG lead to a port of this machine."""
    kubeconfig = {
        "current-context": "it",
        "clusters": [{"name": "it", "cluster": {"server": f"http://127.0.0.1:{port}"}}],
        "users": [{"name": "it", "user": {"token": "t"}}],
        "contexts": [{"name": "it", "context": {"cluster": "it", "user": "it"}}],
    }
    (folder / "kubeconfig").write_text(json.dumps(kubeconfig))
    monkeypatch.setenv("KUBECONFIG", str(folder / "kubeconfig"))


@pytest.fixture
async def seen(server: Server) -> AsyncIterator[list[WatchEvent]]:  # noqa: ARG001  it is connected to
    """Have Kopf watch; only `known` concerns anybody."""
    found: list[WatchEvent] = []
    watches = Watches(
        KINDS, (), found.append, lambda: None, lambda it: it.name in {"known", "new"}
    )
    watches.start()
    yield found
    await watches.stop()


def told(seen: list[WatchEvent]) -> Callable[[], list[tuple[str, str, bool]]]:
    """Return what tells kind, name, and whether it was listed, of what was seen."""
    return lambda: sorted((it.plural, it.name, it.listed) for it in seen)


async def test_only_what_concerns_somebody_is_seen(server: Server, seen: list[WatchEvent]) -> None:
    """Of lists and of watches, whichever page or part of an answer it comes in."""
    both = [(PLURAL, "known", True), ("secrets", "known", True)]
    await eventually(lambda: told(seen)() == both)
    seen.clear()
    for kind in ("ADDED", "MODIFIED", "DELETED"):
        server.tell("secrets", kind, obj("stranger"))
    server.tell("secrets", "BOOKMARK", {"metadata": {"resourceVersion": "9"}})
    server.tell("secrets", "MODIFIED", obj("new"), parts=3)
    server.tell("secrets", "DELETED", obj("known"))
    await eventually(lambda: len(seen) == 2)
    assert [("known", True), ("new", False)] == sorted((it.name, it.deleted) for it in seen)


async def test_the_content_of_others_is_not_asked_for(
    server: Server, seen: list[WatchEvent]
) -> None:
    """Lists and watches ask for metadata, and of OrderServices for their status as well."""
    await eventually(lambda: len(seen) == 2 and sum(watch for _, watch, _ in server.asked) == 2)
    asked = {(plural, watch): accept for plural, watch, accept in server.asked}
    assert PARTIAL_LIST == asked["secrets", False]
    assert PARTIAL == asked["secrets", True]
    assert "PartialObjectMetadata" not in f"{asked[PLURAL, False]}{asked[PLURAL, True]}"


async def test_order_services_are_listed_first(
    server: Server,
    seen: list[WatchEvent],
) -> None:
    """What has changed of one is not seen before, and other kinds have thousands of objects."""
    await eventually(lambda: len(seen) == 2 and sum(watch for _, watch, _ in server.asked) == 2)
    lists = [plural for plural, watch, _ in server.asked if not watch]
    assert [PLURAL, PLURAL, "secrets", "secrets"] == lists


async def test_what_is_to_be_done_is_seen(server: Server, seen: list[WatchEvent]) -> None:
    """The status says whether the spec was acted on, and whether a rollout is under way."""
    await eventually(lambda: len(seen) == 2)
    cases: dict[str, tuple[int, dict[str, Any]]] = {
        "done": (3, {"observedGeneration": 3, "rollout": {"phase": "Stable"}}),
        "changed": (4, {"observedGeneration": 3, "rollout": {"phase": "Stable"}}),
        "rolling": (3, {"observedGeneration": 3, "rollout": {"phase": "Canary"}}),
        "rolled back": (3, {"observedGeneration": 3, "rollout": {"phase": "RolledBack"}}),
        "new": (1, {}),
    }
    pending = {}
    for case, (generation, status) in cases.items():
        seen.clear()
        it = obj("new", status=status)
        it["metadata"]["generation"] = generation
        server.tell(PLURAL, "MODIFIED", it)
        await eventually(lambda: bool(seen))
        pending[case] = seen[0].pending
    assert {"changed", "rolling", "new"} == {case for case, it in pending.items() if it}


async def test_the_same_login_is_not_tried_again(
    server: Server,  # noqa: ARG001  a kubeconfig leads to it
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    """Kopf asks again when it was refused: there is another answer, or none."""
    session = Session(KINDS, lambda _: True)
    told: dict[str, Any] = {"logger": None, "settings": kopf.OperatorSettings()}
    made = [await session.login(**told), await session.login(**told)]
    write_kubeconfig(monkeypatch, tmp_path, 1)
    made.append(await session.login(**told))
    assert [True, False, True] == [it is not None for it in made]


async def test_a_session_that_was_closed_is_made_anew(server: Server) -> None:  # noqa: ARG001  a kubeconfig leads to it
    """Kopf closes a session at its end, and makes another for watches that are still there."""
    told: dict[str, Any] = {"logger": None, "settings": kopf.OperatorSettings()}
    login = await Session(KINDS, lambda _: True).login(**told)
    assert login is not None
    first, second = login.aiohttp_session, login.aiohttp_session
    await first.close()
    assert [True, False] == [first.closed, second.closed]
    await second.close()
