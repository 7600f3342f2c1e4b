"""What somebody changes of a declared field is set right, by whichever process comes next."""

import pytest

from orders_operator.objects import Object
from orders_operator.resources.kinds import KINDS
from tests.helpers.apiserver.operator_namespace import NAME, World

TEMPLATE = "/spec/template/spec/containers/0"
CHANGES: dict[str, tuple[str, list[Object]]] = {
    "a port of the Service": (
        "services",
        [{"op": "replace", "path": "/spec/ports/0/port", "value": 81}],
    ),
    "where a port leads": (
        "services",
        [{"op": "replace", "path": "/spec/ports/1/targetPort", "value": 8000}],
    ),
    "whom the Service selects": (
        "services",
        [{"op": "remove", "path": "/spec/selector/app.kubernetes.io~1instance"}],
    ),
    "a port of the container": (
        "deployments",
        [{"op": "replace", "path": f"{TEMPLATE}/ports/0/containerPort", "value": 8001}],
    ),
    "an argument": (
        "deployments",
        [{"op": "add", "path": f"{TEMPLATE}/args/-", "value": "--odd"}],
    ),
    "a variable that is gone": ("deployments", [{"op": "remove", "path": f"{TEMPLATE}/env/0"}]),
    "a variable that is there twice": (
        "deployments",
        [
            {
                "op": "add",
                "path": f"{TEMPLATE}/env/-",
                "value": {"name": "LOG_FORMAT", "value": "x"},
            }
        ],
    ),
    "what a policy lets in": (
        "networkpolicies",
        [{"op": "add", "path": "/spec/ingress/-", "value": {}}],
    ),
    "its owner": ("services", [{"op": "remove", "path": "/metadata/ownerReferences"}]),
}


@pytest.mark.parametrize("what", CHANGES)
async def test_what_is_changed_by_hand_is_set_right(world: World, what: str) -> None:
    """In one pass of a new process, which has the object itself to go by."""
    plural, change = CHANGES[what]
    await world.declare()
    await world.settle()
    [version] = [it.api_version for it in KINDS if it.plural == plural]
    where = world.url(version, plural, NAME)
    before = await world.get(version, plural, NAME)
    kind = "application/json-patch+json"
    changed = await world.kube.request("PATCH", where, body=change, content_type=kind)
    assert content(before) != content(changed)
    world.restart()
    await world.reconcile()
    assert content(before) == content(await world.get(version, plural, NAME))
    await world.settle()
    assert ("True", "Available") == await world.condition("Ready")


def content(obj: Object) -> Object:
    """Return what is declared of an object."""
    metadata = obj["metadata"]
    kept = {name: metadata.get(name) for name in ("labels", "ownerReferences")}
    return {"spec": obj["spec"], "metadata": kept}


async def test_labels_that_are_taken_off_come_back(world: World) -> None:
    """Nothing is made anew for it, and no pod is replaced; a revision keeps its number."""
    await world.declare(
        database={"embedded": {"resources": {"requests": {"cpu": "50m"}}}},
        podTemplate={"annotations": {"team": "shop"}, "nodeSelector": {"disk": "fast"}},
    )
    await world.settle()
    before, pods = await uids(world), await world.names("v1", "pods")
    database = (await world.get("v1", "pods", f"{NAME}-postgresql-0"))["metadata"]["uid"]
    for url in before:
        await world.kube.merge(url, {"metadata": {"labels": None}})
    world.restart()
    await world.settle()
    after = await uids(world)
    assert before == after
    for url in after:
        labels = (await world.kube.request("GET", url))["metadata"]["labels"]
        assert (url, NAME) == (url, labels["app.kubernetes.io/instance"])
    assert pods == await world.names("v1", "pods")
    left = await world.get("v1", "pods", f"{NAME}-postgresql-0")
    assert database == left["metadata"]["uid"]
    assert ("True", "Available") == await world.condition("Ready")


async def uids(world: World) -> dict[str, str]:
    """Return the uids of all children, by their URLs."""
    found = {}
    for kind, it in await world.every():
        metadata = it["metadata"]
        if any(owner.get("controller") for owner in metadata.get("ownerReferences") or ()):
            url = world.url(kind.api_version, kind.plural, metadata["name"])
            found[url] = metadata["uid"]
    return found
