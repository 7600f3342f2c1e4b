"""One namespace of the API server: an OrderService, an operator, and who else is in a cluster.

Nothing happens by itself: a test says when the operator reconciles, and when the controllers and
the kubelet do their part. `settle` has both take turns until neither has anything to do.
"""

import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final, Self

from orders_operator.api.spec import API_VERSION, KIND, PLURAL
from orders_operator.client.kube import path
from orders_operator.objects import Object
from orders_operator.resources.kinds import KINDS, Kind
from tests.helpers.apiserver.deployment_controller import Deployments
from tests.helpers.apiserver.fake_kubelet import Kubelet, own_container
from tests.helpers.apiserver.garbage_collector import Garbage
from tests.helpers.apiserver.operator_client import Clock, Operator
from tests.helpers.apiserver.recording_client import Recording
from tests.helpers.apiserver.statefulset_controller import StatefulSets

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


NAME: Final = "shop"
IMAGE: Final = "orders/service:1"
NEXT: Final = "orders/service:2"
_ROUNDS: Final = 40
_PODS: Final = {"app.kubernetes.io/instance": NAME, "app.kubernetes.io/component": "api"}


class World:
    """One namespace, the OrderService `shop` in it, and all who work on it."""

    def __init__(self, admin: Recording | None = None) -> None:
        """Prepare; `admin` is whose connections the tests use, the administrator's."""
        self.namespace = f"test-{uuid.uuid4().hex[:10]}"
        self.key = (self.namespace, NAME)
        self._own = [] if admin else [Recording.connect()]
        self.kube = admin or self._own[0]
        """The tests' own hands."""
        self.clock = Clock()
        self.operator = Operator(self.clock)
        self._operators = [self.operator]
        self._clients = Recording(self.kube._http)
        self.deployments = Deployments(self._clients, self.namespace)
        self.kubelet = Kubelet(self._clients, self.namespace)
        stateful_sets = StatefulSets(self._clients, self.namespace)
        garbage = Garbage(self._clients, self.namespace, (stateful_sets, self.deployments))
        self._parts: list[Callable[[], Awaitable[None]]] = [
            stateful_sets.sync,
            self.deployments.sync,
            self.kubelet.sync,
            garbage.sync,
        ]

    async def __aenter__(self) -> Self:
        """Make the namespace, with what a controller puts into each, and the Secret `database`."""
        namespace = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": self.namespace}}
        await self.kube.create("namespaces", namespace)
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
        await self.kube.create("serviceaccounts", account, namespace=self.namespace)
        await self.secret("database", "postgresql://orders:secret@db/orders")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Leave no OrderService to operators of other tests, and close all connections."""
        await self.kube.request("DELETE", path(API_VERSION, PLURAL, self.namespace))
        for client in (*self._own, *(it.kube for it in self._operators)):
            await client.close()

    def restart(self) -> Operator:
        """Have another process be the operator, which remembers nothing; the one before."""
        before = self.operator
        self.operator = Operator(self.clock, f"operator-{len(self._operators) + 1}")
        self._operators.append(self.operator)
        return before

    async def declare(self, **spec: Any) -> Object:
        """Make the OrderService: a pod on the Secret `database`, unmonitored."""
        wanted = {
            "apiVersion": API_VERSION,
            "kind": KIND,
            "metadata": {"name": NAME},
            "spec": {
                "image": IMAGE,
                "database": {"secretRef": {"name": "database"}},
                "replicas": 1,
                "monitoring": {"enabled": False},
                **spec,
            },
        }
        return await self.kube.create(PLURAL, wanted, namespace=self.namespace)

    async def change(self, **spec: Any) -> Object:
        """Change fields of its spec by a merge patch."""
        return await self.kube.merge(self.url(API_VERSION, PLURAL, NAME), {"spec": spec})

    async def tell(self, **commands: str | None) -> None:
        """Set annotations `orders.dev/...`, or remove them."""
        annotations = {f"orders.dev/{name}": value for name, value in commands.items()}
        change = {"metadata": {"annotations": annotations}}
        await self.kube.merge(self.url(API_VERSION, PLURAL, NAME), change)

    async def secret(self, name: str, url: str, **more: str) -> None:
        """Make a Secret with a database's URL, or change it."""
        made = {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": name, "namespace": self.namespace},
            "stringData": {"url": url, **more},
        }
        await self.kube.apply("secrets", made, manager="somebody")

    async def config(self, name: str, **data: str) -> None:
        """Make a ConfigMap, or change it."""
        made = {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": name, "namespace": self.namespace},
            "data": data,
        }
        await self.kube.apply("configmaps", made, manager="somebody")

    async def label(self, **labels: str) -> None:
        """Set labels of the namespace."""
        where = path("v1", "namespaces", name=self.namespace)
        await self.kube.merge(where, {"metadata": {"labels": labels}})

    async def quota(self, **hard: str) -> None:
        """Allow no more than this in the namespace."""
        made = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "few"}}
        await self.kube.create("resourcequotas", made, namespace=self.namespace)
        status = {"hard": hard, "used": dict.fromkeys(hard, "0")}
        where = self.url("v1", "resourcequotas", "few")
        await self.kube.merge(where, {"spec": {"hard": hard}})
        await self.kube.merge(f"{where}/status", {"status": status})

    async def reconcile(self) -> float | None:
        """Have the operator reconcile once."""
        return await self.operator.reconcile(self.key)

    async def sync(self) -> list[str]:
        """Have the controllers and the kubelet do one step; return what they changed."""
        for part in self._parts:
            await part()
        return self._clients.changed()

    async def settle(self) -> None:
        """Take turns until nobody has anything to do; no time goes by."""
        told: list[str] = []
        for turn in range(_ROUNDS):
            self.operator.kube.written()
            await self.reconcile()
            told = self.operator.kube.changed()
            if turn and not told:  # and all others were done before
                return
            told += await self.calm()
            if not told:
                return
        raise AssertionError(f"never calm; the last to be changed: {told}")

    async def calm(self) -> list[str]:
        """Have the controllers and the kubelet work until they are done; what they changed."""
        told: list[str] = []
        while changed := await self.sync():
            told += changed
        return told

    def url(self, api_version: str, plural: str, name: str) -> str:
        """Return the path of an object."""
        return path(api_version, plural, self.namespace, name)

    async def get(self, api_version: str, plural: str, name: str) -> Object:
        """Return an object that is there."""
        found = await self.find(api_version, plural, name)
        assert found is not None, f"there is no {plural} {name}"
        return found

    async def find(self, api_version: str, plural: str, name: str) -> Object | None:
        """Return an object, or None."""
        return await self.kube.get(api_version, plural, self.namespace, name)

    async def delete(self, api_version: str, plural: str, name: str) -> None:
        """Delete an object."""
        found = await self.get(api_version, plural, name)
        uid = found["metadata"]["uid"]
        await self.kube.delete(api_version, plural, self.namespace, name, uid)

    async def names(self, api_version: str, plural: str) -> set[str]:
        """Return the names of the objects of a kind."""
        found = await self.kube.list(api_version, plural, self.namespace)
        return {it["metadata"]["name"] for it in found}

    async def canary(self, **spec: Any) -> None:
        """Declare an OrderService, and have a canary beside its stable pods."""
        await self.declare(rollout={"strategy": "Canary"}, **spec)
        await self.settle()
        await self.change(image=NEXT)
        await self.settle()
        assert "Canary" == (await self.rollout())["phase"]

    async def every(self, labels: Mapping[str, str] | None = None) -> list[tuple[Kind, Object]]:
        """Return the objects of all kinds that an operator makes and every cluster has."""
        return [
            (kind, it)
            for kind in KINDS
            if not kind.optional
            for it in await self.kube.list(kind.api_version, kind.plural, self.namespace, labels)
        ]

    async def versions(self) -> dict[tuple[str, str], str]:
        """Return the resourceVersion of the OrderService and of all that an operator makes."""
        found = [(kind.plural, it["metadata"]) for kind, it in await self.every()]
        owners = await self.kube.list(API_VERSION, PLURAL, self.namespace)
        found += [(PLURAL, it["metadata"]) for it in owners]
        return {(plural, it["name"]): it["resourceVersion"] for plural, it in found}

    async def resource(self) -> Object:
        """Return the OrderService."""
        return await self.get(API_VERSION, PLURAL, NAME)

    async def status(self) -> Object:
        """Return its status."""
        found: Object = (await self.resource()).get("status") or {}
        return found

    async def rollout(self) -> Object:
        """Return where its rollout is."""
        found: Object = (await self.status()).get("rollout") or {}
        return found

    async def condition(self, kind: str) -> tuple[str, str]:
        """Return status and reason of a condition."""
        found = await self.said(kind)
        return found["status"], found["reason"]

    async def said(self, kind: str) -> Object:
        """Return a condition."""
        status = await self.status()
        return next(it for it in status["conditions"] if it["type"] == kind)

    async def deployment(self, suffix: str = "") -> Object:
        """Return the Deployment of the stable pods, or the one with a suffix."""
        return await self.get("apps/v1", "deployments", f"{NAME}{suffix}")

    async def ports(self) -> set[int]:
        """Return the ports that the service's pods may reach."""
        found = await self.get("networking.k8s.io/v1", "networkpolicies", NAME)
        rules = found["spec"]["egress"]
        return {port["port"] for rule in rules for port in rule.get("ports") or ()}

    async def pods(self) -> list[Object]:
        """Return the pods of the service that are not on their way out."""
        found = await self.kube.list("v1", "pods", self.namespace, _PODS)
        return [pod for pod in found if not pod["metadata"].get("deletionTimestamp")]

    async def images(self) -> list[str]:
        """Return what images the pods of the service run."""
        return sorted(own_container(pod)["image"] for pod in await self.pods())

    async def count(self, plural: str) -> int:
        """Return how many objects there are of a kind of apps/v1."""
        return len(await self.kube.list("apps/v1", plural, self.namespace))

    async def events(self) -> list[tuple[str, str]]:
        """Return type and reason of the Events of the OrderService, the first one first.

        Its children have Events as well, some by its name: an API server tells of a Service.
        """
        found = await self.kube.list("events.k8s.io/v1", "events", self.namespace)
        found.sort(key=lambda it: str(it["eventTime"]))
        whose = (KIND, NAME)
        return [
            (it["type"], it["reason"])
            for it in found
            if (it["regarding"]["kind"], it["regarding"]["name"]) == whose
        ]
