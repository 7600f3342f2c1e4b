"""Policies of a cluster that change what is written: the API server's own, without a webhook.

CEL has no clock, so a policy stamps a template with the version that the object had before:
another one at each write, as a time would be.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from orders_operator.client.kube import path
from orders_operator.objects import Object
from tests.helpers.apiserver.operator_namespace import World
from tests.helpers.server import eventually

STAMP: Final = """[JSONPatch{
    op: "add", path: "/spec/template/metadata/annotations/stamp",
    value: oldObject == null ? "0" : oldObject.metadata.resourceVersion
}]"""
SIDECAR: Final = """
object.spec.template.spec.containers.exists(it, it.name == "proxy") ? [] : [JSONPatch{
    op: "add", path: "/spec/template/spec/containers/0",
    value: Object.spec.template.spec.containers{
        name: "proxy", image: "proxy:1",
        ports: [Object.spec.template.spec.containers.ports{
            name: "metrics", containerPort: 15020, protocol: "TCP"
        }]
    }
}]"""
MIRROR: Final = """
object.spec.template.spec.containers.map(it, JSONPatch{
    op: "replace", value: "mirror/" + it.image.replace("mirror/", ""),
    path: "/spec/template/spec/containers/" +
        string(object.spec.template.spec.containers.map(other, other.name).indexOf(it.name)) +
        "/image"
})"""
_GROUP: Final = "/apis/admissionregistration.k8s.io/v1"
_KINDS: Final = ("mutatingadmissionpolicies", "mutatingadmissionpolicybindings")
_SECONDS: Final = 30


@asynccontextmanager
async def policy(world: World, *expressions: str) -> AsyncIterator[None]:
    """Have a policy change the Deployments and StatefulSets of the namespace at each write."""
    name = world.namespace
    written = zip(_KINDS, (_policy(name, expressions), _binding(name)), strict=True)
    for plural, made in written:
        await world.kube.request("POST", f"{_GROUP}/{plural}", body=made)
    try:
        await eventually(lambda: _works(world), within=_SECONDS)
        yield
    finally:
        for plural in reversed(_KINDS):
            await world.kube.request("DELETE", f"{_GROUP}/{plural}/{name}")


def _policy(name: str, expressions: tuple[str, ...]) -> Object:
    rule = {
        "apiGroups": ["apps"],
        "apiVersions": ["v1"],
        "operations": ["CREATE", "UPDATE"],
        "resources": ["deployments", "statefulsets"],
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicy",
        "metadata": {"name": name},
        "spec": {
            "matchConstraints": {"resourceRules": [rule]},
            "failurePolicy": "Fail",
            "reinvocationPolicy": "Never",
            "mutations": [
                {"patchType": "JSONPatch", "jsonPatch": {"expression": it}} for it in expressions
            ],
        },
    }


def _binding(name: str) -> Object:
    here = {"matchLabels": {"kubernetes.io/metadata.name": name}}
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingAdmissionPolicyBinding",
        "metadata": {"name": name},
        "spec": {"policyName": name, "matchResources": {"namespaceSelector": here}},
    }


async def _works(world: World) -> bool:
    """Whether it changes what is written: it takes the API server a moment to know of it."""
    labels = {"app": "tried"}
    container = {"name": "orders", "image": "orders/service:1"}
    wanted = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "tried"},
        "spec": {
            "selector": {"matchLabels": labels},
            "template": {
                "metadata": {"labels": labels, "annotations": {"kept": "it"}},
                "spec": {"containers": [container]},
            },
        },
    }
    where = path("apps/v1", "deployments", world.namespace)
    made = await world.kube.request("POST", where, {"dryRun": "All"}, wanted)
    template = made["spec"]["template"]
    [first, *_] = template["spec"]["containers"]
    return "stamp" in template["metadata"]["annotations"] or first["image"] != container["image"]
