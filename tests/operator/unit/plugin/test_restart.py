"""`kubectl orders restart`, up to the patches that the API server gets."""

import contextlib
from collections.abc import AsyncIterator, Callable

import httpx2
import pytest
from msgspec import json

from orders_operator.client.kube import Kube
from orders_operator.objects import Object
from orders_operator.plugin import cli
from orders_operator.plugin.kubectl_proxy import Access
from orders_operator.rollout.situation import moment
from tests.helpers.operator.cluster_objects import NEW, ago
from tests.helpers.operator.rollout_scenes import Scene, rolled_back, stable, unlabelled

Shop = Callable[..., dict[str, Object]]
"""Puts OrderServices into the namespace; returns the annotations that each is given from then."""

PLACE = "/apis/orders.dev/v1alpha1/namespaces/shop/orderservices"
WATCH = "kubectl orders status"


@pytest.fixture
def shop(monkeypatch: pytest.MonkeyPatch) -> Shop:
    """Have an API server with the OrderServices of one namespace."""
    there: dict[str, Object] = {}
    patched: dict[str, Object] = {}

    def answer(request: httpx2.Request) -> httpx2.Response:
        name = request.url.path.removeprefix(PLACE).removeprefix("/")
        if not name:
            return httpx2.Response(200, json={"items": list(there.values())})
        if name not in there or (request.method == "PATCH" and name == "gone"):
            absent = {"kind": "orderservices", "name": name}
            text = f'"{name}" not found'
            told = {"kind": "Status", "reason": "NotFound", "message": text, "details": absent}
            return httpx2.Response(404, json=told)
        if request.method == "PATCH":
            assert "application/merge-patch+json" == request.headers["Content-Type"]
            patched[name] = json.decode(request.content)["metadata"]["annotations"]
        return httpx2.Response(200, json=there[name])

    @contextlib.asynccontextmanager
    async def cluster(_: Access) -> AsyncIterator[Kube]:
        transport = httpx2.MockTransport(answer)
        async with httpx2.AsyncClient(transport=transport, base_url="http://localhost") as http:
            yield Kube(http)

    def put(**services: Scene) -> dict[str, Object]:
        for name, scene in services.items():
            there[name] = scene().resource
            there[name]["metadata"]["name"] = name
        return patched

    monkeypatch.setattr(cli, "cluster", cluster)
    return put


def call(*arguments: str) -> int:
    """Call the plugin in the namespace; return the exit status."""
    return cli.main([*arguments, "-n", "shop"])


def test_one_gets_the_time(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody else gets anything, and it says how to watch it."""
    patched = shop(orders=stable, stock=stable)

    assert 0 == call("restart", "orders")
    assert ["orders"] == list(patched)
    told = patched["orders"]["orders.dev/restart"]
    at = moment(told)
    assert at is not None
    assert told == at.strftime("%Y-%m-%dT%H:%M:%SZ")
    said = capsys.readouterr().out
    assert said.startswith("orders: a new revision of the same spec will replace ")
    assert f"\nWatch it: {WATCH} orders -n shop -w\n" in said


def test_one_that_is_not_there_is_one_line(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """The exit status is 1."""
    patched = shop(orders=stable)

    assert 1 == call("restart", "nobody")
    assert {} == patched
    expected = "kubectl orders: there is no OrderService nobody in namespace shop\n"
    assert ("", expected) == capsys.readouterr()


def test_each_of_all_gets_what_it_needs(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """A revision that has failed is tried again; a line says which it was."""
    patched = shop(orders=stable, stock=rolled_back)

    assert 0 == call("restart", "--all")
    assert ["orders", "stock"] == list(patched)
    assert "orders.dev/retry" in patched["orders"]
    assert None is patched["orders"]["orders.dev/retry"]
    assert f"{NEW}@{ago(seconds=12)}" == patched["stock"]["orders.dev/retry"]
    assert "orders.dev/restart" not in patched["stock"]
    orders, stock, watch = capsys.readouterr().out.splitlines()
    assert orders.startswith("orders: a new revision")
    assert stock.endswith("It had failed, so this retries it instead of restarting it.")
    assert f"Watch them: {WATCH} -n shop -w" == watch


def test_one_that_cannot_be_restarted_keeps_no_other(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    """Each that could not has a line on stderr, and the exit status is 1."""
    patched = shop(early=unlabelled, gone=stable, orders=stable)

    assert 1 == call("restart", "--all")
    assert ["orders"] == list(patched)
    said = capsys.readouterr()
    assert ["orders:", "Watch"] == [line.split()[0] for line in said.out.splitlines()]
    early = "early: the operator has not reported a rollout yet"
    gone = f'PATCH {PLACE}/gone: "gone" not found'
    assert f"kubectl orders: {early}\nkubectl orders: {gone}\n" == said.err


def test_programs_get_items(shop: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    """As `status` without a name gives them; `command` is what was done."""
    shop(orders=stable, stock=rolled_back)

    assert 0 == call("restart", "--all", "-o", "json")
    items = json.decode(capsys.readouterr().out)["items"]
    assert [("orders", "restart"), ("stock", "retry")] == [
        (it["name"], it["command"]) for it in items
    ]


@pytest.mark.parametrize("output", [(), ("-o", "json")])
def test_none_at_all_is_one_line(
    shop: Shop, capsys: pytest.CaptureFixture[str], output: tuple[str, ...]
) -> None:
    """Somebody who restarts all has something in mind, so it is not well."""
    shop()

    assert 1 == call("restart", "--all", *output)
    expected = "kubectl orders: there is no OrderService in namespace shop\n"
    assert ("", expected) == capsys.readouterr()


def test_all_refused_leaves_nothing_to_watch(
    shop: Shop, capsys: pytest.CaptureFixture[str]
) -> None:
    """Only what was told is watched."""
    shop(early=unlabelled)

    assert 1 == call("restart", "--all")
    assert "" == capsys.readouterr().out
