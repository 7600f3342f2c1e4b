"""Kinds that a cluster may have or lack: here with any content at all."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from orders_operator.resources.kinds import Kind
from tests.helpers.apiserver.recording_client import Recording
from tests.helpers.server import eventually

_API_VERSION = "apiextensions.k8s.io/v1"
_PLURAL = "customresourcedefinitions"


@asynccontextmanager
async def served(kube: Recording, kind: Kind) -> AsyncIterator[None]:
    """Have the API server serve a kind for a while."""
    made = _definition(kind)
    name = made["metadata"]["name"]

    async def is_served() -> bool:
        return kind.plural in await kube.serves(kind.api_version)

    async def is_gone() -> bool:
        return await kube.get(_API_VERSION, _PLURAL, None, name) is None

    await kube.apply(_PLURAL, made, manager="somebody")
    try:
        await eventually(is_served)
        yield
    finally:
        found = await kube.get(_API_VERSION, _PLURAL, None, name)
        if found is not None:
            await kube.delete(_API_VERSION, _PLURAL, None, name, found["metadata"]["uid"])
        await eventually(is_gone)


def _definition(kind: Kind) -> dict[str, Any]:
    group, _, version = kind.api_version.partition("/")
    anything = {"type": "object", "x-kubernetes-preserve-unknown-fields": True}
    name = f"{kind.plural}.{group}"
    metadata: dict[str, Any] = {"name": name}
    if group.endswith(".k8s.io"):
        reason = "unapproved, a kind of the tests"
        metadata["annotations"] = {"api-approved.kubernetes.io": reason}
    return {
        "apiVersion": _API_VERSION,
        "kind": "CustomResourceDefinition",
        "metadata": metadata,
        "spec": {
            "group": group,
            "scope": "Namespaced",
            "names": {"kind": kind.kind, "plural": kind.plural},
            "versions": [
                {
                    "name": version,
                    "served": True,
                    "storage": True,
                    "schema": {"openAPIV3Schema": anything},
                }
            ],
        },
    }
