"""The CRD that the chart's hooks apply and delete."""

import asyncio
import threading
from typing import Any

import pytest

from orders_operator import definition
from orders_operator.api.spec import API_VERSION, PLURAL
from orders_operator.client.errors import KubeError
from orders_operator.client.kube import Kube
from tests.helpers.apiserver.operator_namespace import NAME, World

CRD = ("apiextensions.k8s.io/v1", "customresourcedefinitions")
CRD_NAME = "orderservices.orders.dev"


async def test_one_that_is_being_deleted_is_made_anew(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It still says that it is established; but it is not the one that stays."""
    await world.declare()
    where = world.url(API_VERSION, PLURAL, NAME)
    await world.kube.merge(where, {"metadata": {"finalizers": ["orders.test/held"]}})
    before = await world.kube.get(*CRD, None, CRD_NAME)
    assert 0 == await asyncio.to_thread(definition.delete)
    asked = threading.Event()
    request = Kube.request

    async def noted(kube: Kube, method: str, url: str, *how: Any, **more: Any) -> Any:
        answer = await request(kube, method, url, *how, **more)
        if CRD[1] in url:
            asked.set()
        return answer

    monkeypatch.setattr(Kube, "request", noted)
    applying = asyncio.ensure_future(asyncio.to_thread(definition.apply))
    assert await asyncio.to_thread(asked.wait, 20)
    await world.kube.merge(where, {"metadata": {"finalizers": None}})
    assert 0 == await applying
    after = await world.kube.get(*CRD, None, CRD_NAME)
    assert before is not None
    assert after is not None
    assert before["metadata"]["uid"] != after["metadata"]["uid"]
    assert "deletionTimestamp" not in after["metadata"]


@pytest.mark.parametrize(
    ("window", "scrape", "enabled", "fits"),
    [
        ("29s", "15s", True, False),
        ("30s", "15s", True, True),
        ("1m", "31s", True, False),
        ("1m", "31s", False, True),
    ],
)
async def test_a_window_of_a_prometheus_has_two_scrapes(
    world: World, window: str, scrape: str, *, enabled: bool, fits: bool
) -> None:
    """What lies between two scrapes a Prometheus does not know; the ServiceMonitor says when."""
    analysis = {"interval": window, "prometheus": {"url": "http://prometheus:9090"}}
    spec: dict[str, Any] = {
        "rollout": {"canary": {"analysis": analysis}},
        "monitoring": {"enabled": enabled, "interval": scrape},
    }
    if fits:
        await world.declare(**spec)
        return
    with pytest.raises(KubeError, match=r"at least twice monitoring\.interval"):
        await world.declare(**spec)
    del analysis["prometheus"]
    await world.declare(**spec)


@pytest.mark.parametrize(
    ("rollout", "said"),
    [
        ({"rollingUpdate": {"maxSurge": 0}}, "cannot both be 0"),
        ({"rollingUpdate": {"maxSurge": "0%", "maxUnavailable": 0}}, "cannot both be 0"),
        ({"rollingUpdate": {"maxSurge": "101%"}}, "should match"),
        ({"rollingUpdate": {"maxUnavailable": -1}}, "greater than or equal to 0"),
        ({"minReadySeconds": 60, "progressDeadline": "1m"}, "longer than minReadySeconds"),
        ({"bake": "25h"}, "bake must be at most 24h"),
        ({"rollingUpdate": {"maxSurge": 0, "maxUnavailable": "25%"}}, None),
        ({"minReadySeconds": 59, "progressDeadline": "1m", "bake": "24h"}, None),
    ],
)
async def test_how_pods_are_replaced_can_be_done(
    world: World, rollout: dict[str, Any], said: str | None
) -> None:
    """The API server refuses what no Deployment could do, and says why."""
    if said is None:
        await world.declare(rollout=rollout)
        return
    with pytest.raises(KubeError, match=said):
        await world.declare(rollout=rollout)


@pytest.mark.parametrize(
    ("cors", "said"),
    [
        ({}, "allowOrigins"),
        ({"allowOrigins": []}, "at least 1 items"),
        ({"allowOrigins": ["shop.example.com"]}, "should match"),
        ({"allowOrigins": ["https://shop.example.com/"]}, "should match"),
        ({"allowOrigins": ["https://shop.example.com:443"]}, "omit the default port"),
        ({"allowOrigins": ["*", "https://shop.example.com"]}, "must not contain anything else"),
        ({"allowOrigins": ["*"], "allowCredentials": True}, r"accepts \* with credentials"),
        (
            {
                "allowOrigins": ["https://a.example"],
                "allowHeaders": ["*"],
                "allowCredentials": True,
            },
            r"accepts \* with credentials",
        ),
        ({"allowOrigins": ["*"], "maxAge": "25h"}, "at most 24h"),
        ({"allowOrigins": ["*"], "allowCredentials": False, "maxAge": "24h"}, None),
        ({"allowOrigins": ["https://a.example:8443"], "allowCredentials": True}, None),
    ],
)
async def test_pages_are_named_as_browsers_name_them(
    world: World, cors: dict[str, Any], said: str | None
) -> None:
    """What no browser would take, and the service would not start with, is refused."""
    if said is None:
        await world.declare(cors=cors)
        return
    with pytest.raises(KubeError, match=said):
        await world.declare(cors=cors)
