"""The CustomResourceDefinition of two releases, applied one after the other."""

import asyncio
from typing import Any

import pytest

from orders_operator import definition
from orders_operator.api import crd
from tests.helpers.apiserver.operator_namespace import World

_NAME = "orderservices.orders.dev"
_LABEL = "app.kubernetes.io/version"


async def found(world: World) -> dict[str, Any]:
    """Return the definition that the API server has."""
    crds = ("apiextensions.k8s.io/v1", "customresourcedefinitions")
    there = await world.kube.get(*crds, None, _NAME)
    assert there is not None
    return there


async def test_a_newer_definition_is_left_alone(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An older release that is installed again exits with 0, and no field is lost."""
    before, newer = crd.definition(), crd.definition()
    newer["metadata"]["labels"][_LABEL] = "1000.0.0"
    spec = newer["spec"]["versions"][0]["schema"]["openAPIV3Schema"]["properties"]["spec"]
    spec["properties"]["later"] = {"type": "string"}
    monkeypatch.setattr(definition, "definition", lambda: newer)
    assert 0 == await asyncio.to_thread(definition.apply)
    there = await found(world)
    try:
        monkeypatch.setattr(definition, "definition", lambda: before)
        assert 0 == await asyncio.to_thread(definition.apply)
        assert there["metadata"]["generation"] == (await found(world))["metadata"]["generation"]
    finally:
        where = f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{_NAME}"
        await world.kube.merge(where, {"metadata": {"labels": {_LABEL: "0"}}})
        assert 0 == await asyncio.to_thread(definition.apply)
