"""Reads objects from the cluster, as they are; `view` interprets them."""

from typing import Final

from msgspec import Struct

from orders_operator.api.spec import API_VERSION, PLURAL
from orders_operator.client.kube import Kube, path
from orders_operator.objects import Object
from orders_operator.plugin import Refused
from orders_operator.reconcile.owner import Owner
from orders_operator.resources.labels import API, MANAGED_BY
from orders_operator.tasks import together

_INSTANCE: Final = "app.kubernetes.io/instance"


class ServiceSnapshot(Struct, frozen=True):
    """An OrderService and the objects that belong to it, as the API server has them."""

    resource: Object
    pods: tuple[Object, ...] = ()
    revisions: tuple[Object, ...] = ()
    events: tuple[Object, ...] = ()


async def read_snapshot(kube: Kube, namespace: str, name: str) -> ServiceSnapshot:
    """Read an OrderService, its pods, its revisions and its Events.

    Raises:
        Refused: there is no OrderService of this name.

    """
    labels = {_INSTANCE: name, "app.kubernetes.io/managed-by": MANAGED_BY}
    resource: Object
    resource, its_pods, revisions = await together(
        service(kube, namespace, name),
        pods(kube, namespace, name),
        kube.list("apps/v1", "controllerrevisions", namespace, labels),
    )
    return ServiceSnapshot(
        resource=resource,
        pods=tuple(its_pods),
        # A database's revisions have the same labels, but another owner.
        revisions=tuple(filter(Owner(namespace, name, _uid(resource)).controls, revisions)),
        events=tuple(await _events(kube, resource)),
    )


async def services(kube: Kube, namespace: str) -> list[Object]:
    """Return the OrderServices of a namespace, sorted by name."""
    resources = await kube.list(API_VERSION, PLURAL, namespace)
    return sorted(resources, key=lambda service: str(service["metadata"]["name"]))


async def service(kube: Kube, namespace: str, name: str) -> Object:
    """Return an OrderService.

    Raises:
        Refused: there is no OrderService of this name.

    """
    resource = await kube.get(API_VERSION, PLURAL, namespace, name)
    if resource is None:
        raise Refused(f"there is no OrderService {name} in namespace {namespace}")
    return resource


async def pods(kube: Kube, namespace: str, name: str) -> list[Object]:
    """Return the pods of an OrderService, without those of an embedded database."""
    labels = {_INSTANCE: name, "app.kubernetes.io/component": API}
    return await kube.list("v1", "pods", namespace, labels)


def _uid(resource: Object) -> str:
    return str(resource["metadata"]["uid"])


async def _events(kube: Kube, resource: Object) -> list[Object]:
    where = path("v1", "events", resource["metadata"]["namespace"])
    selector = {"fieldSelector": f"involvedObject.uid={_uid(resource)}"}
    page = await kube.request("GET", where, selector)
    events: list[Object] = page.get("items") or []
    return events
