"""Who refuses in a cluster: a policy, a webhook that is away, rights, a server in trouble."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any, Final
from unittest.mock import patch

import httpx2

from orders_operator.api.spec import API_VERSION, PLURAL
from orders_operator.client import transport
from orders_operator.client.errors import KubeError
from orders_operator.client.kube import path
from orders_operator.objects import Object
from orders_operator.resources.kinds import KINDS
from tests.helpers.apiserver.api_server import OPERATOR
from tests.helpers.apiserver.operator_namespace import World
from tests.helpers.server import eventually
from tests.helpers.unanswered_webhook import webhook

_ADMISSION: Final = "admissionregistration.k8s.io/v1"
_RBAC: Final = "rbac.authorization.k8s.io"
_RULE: Final = {"apiGroups": ["*"], "apiVersions": ["*"], "operations": ["CREATE", "UPDATE"]}


@asynccontextmanager
async def policy(world: World, plural: str, words: str) -> AsyncIterator[None]:
    """Have a ValidatingAdmissionPolicy refuse a kind of the world's with these words."""
    name = f"{world.namespace}.test"
    rules = {"resourceRules": [{**_RULE, "resources": [plural]}]}
    refusing = {
        "matchConstraints": rules,
        "validations": [{"expression": "false", "message": words}],
    }
    only = {"namespaceSelector": {"matchLabels": _own(world)}}
    bound = {"policyName": name, "validationActions": ["Deny"], "matchResources": only}
    made = [
        ("validatingadmissionpolicies", _made("ValidatingAdmissionPolicy", name, spec=refusing)),
        (
            "validatingadmissionpolicybindings",
            _made("ValidatingAdmissionPolicyBinding", name, spec=bound),
        ),
    ]
    async with _in_force(world, plural, made):
        yield


@asynccontextmanager
async def webhook_away(world: World, plural: str) -> AsyncIterator[None]:
    """Have a webhook of a kind of the world's, which nobody answers."""
    made = webhook(world.namespace, plural, "CREATE", "UPDATE")
    async with _in_force(world, plural, [("validatingwebhookconfigurations", made)]):
        yield


@asynccontextmanager
async def _in_force(
    world: World, plural: str, made: list[tuple[str, Object]]
) -> AsyncIterator[None]:
    """Make objects, and go on when the API server refuses a kind, and lets it in again."""
    for kind, obj in made:
        await world.kube.apply(kind, obj, manager="somebody")
    try:
        await eventually(lambda: _refuses(world, plural))
        yield
    finally:
        for kind, obj in made:
            name = obj["metadata"]["name"]
            found = await world.kube.get(_ADMISSION, kind, None, name)
            assert found is not None
            await world.kube.delete(_ADMISSION, kind, None, name, found["metadata"]["uid"])
        await eventually(lambda: _takes(world, plural))


async def _refuses(world: World, plural: str) -> bool:
    """Whether an object of a kind is refused, which is tried without making it."""
    version, kind, spec = _TRIED[plural]
    metadata = {"name": "tried", "namespace": world.namespace}
    where = path(version, plural, world.namespace)
    obj = {"apiVersion": version, "kind": kind, "metadata": metadata, **spec}
    try:
        await world.kube.request("POST", where, {"dryRun": "All"}, obj, tries=1)
    except KubeError:
        return True
    return False


async def _takes(world: World, plural: str) -> bool:
    return not await _refuses(world, plural)


_TRIED: Final[dict[str, tuple[str, str, Object]]] = {
    "services": ("v1", "Service", {"spec": {"ports": [{"port": 1}]}}),
    "configmaps": ("v1", "ConfigMap", {}),
    "secrets": ("v1", "Secret", {}),
    "networkpolicies": ("networking.k8s.io/v1", "NetworkPolicy", {"spec": {"podSelector": {}}}),
    "controllerrevisions": ("apps/v1", "ControllerRevision", {"revision": 1, "data": {}}),
}


def _made(kind: str, name: str, **content: Any) -> Object:
    return {"apiVersion": _ADMISSION, "kind": kind, "metadata": {"name": name}, **content}


def _own(world: World) -> dict[str, str]:
    return {"kubernetes.io/metadata.name": world.namespace}


async def allow_all_but(world: World, plural: str) -> None:
    """Give the operator's user every right in the world's namespace, but to a single kind."""
    kinds = [(kind.api_version, kind.plural) for kind in KINDS if kind.plural != plural]
    kinds += [(API_VERSION, PLURAL), (API_VERSION, f"{PLURAL}/status"), ("v1", "pods")]
    kinds += [("events.k8s.io/v1", "events"), ("coordination.k8s.io/v1", "leases")]
    rules = [
        {"apiGroups": [version.rpartition("/")[0]], "resources": [name], "verbs": ["*"]}
        for version, name in kinds
    ]
    metadata = {"name": "operator", "namespace": world.namespace}
    role = {"apiVersion": f"{_RBAC}/v1", "kind": "Role", "metadata": metadata, "rules": rules}
    binding = {
        "apiVersion": f"{_RBAC}/v1",
        "kind": "RoleBinding",
        "metadata": metadata,
        "roleRef": {"apiGroup": _RBAC, "kind": "Role", "name": "operator"},
        "subjects": [{"apiGroup": _RBAC, "kind": "User", "name": OPERATOR}],
    }
    await world.kube.apply("roles", role, manager="somebody")
    await world.kube.apply("rolebindings", binding, manager="somebody")


@contextmanager
def answering(world: World, status: int | None, *ends: str, method: str = "GET") -> Iterator[None]:
    """Have the operator's calls of URLs that end so answered with a status, or never with None."""
    http = world.operator.kube._http
    ask = http.request

    async def request(verb: str, url: str, **how: Any) -> httpx2.Response:
        if verb != method or not url.endswith(ends):
            return await ask(verb, url, **how)
        if status is None:
            raise httpx2.ReadTimeout("no answer")
        return httpx2.Response(status, json={"kind": "Status", "message": "etcdserver: too busy"})

    with (
        patch.object(http, "request", request),
        patch.object(transport, "BACKOFF_SECONDS", (0.0,) * 4),
    ):
        yield
