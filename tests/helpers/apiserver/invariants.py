"""What must hold after each pass of the operator, whatever was done and whatever has failed."""

from typing import Final

from orders_operator.objects import Object
from orders_operator.resources.labels import CONFIG_COPY, DATABASE, REVISION
from orders_operator.resources.references import scheme
from orders_operator.rollout.pods import ready
from tests.helpers.apiserver.fake_kubelet import named
from tests.helpers.apiserver.operator_namespace import NAME, World

EMBEDDED: Final = f"{NAME}-postgresql"
_METRICS: Final = ("secrets", f"{NAME}-metrics")
"""Of which the operator makes the key."""
PORTS: Final = {"one": 6001, "two": 6002, "database": 5432}
"""Of the databases whose URL is in these Secrets."""

_POLICIES: Final = ("networking.k8s.io/v1", "networkpolicies")
_REVISIONS: Final = ("apps/v1", "controllerrevisions")
_ALWAYS: Final = ("Paused", "Reconciling", "Stalled")
"""Conditions that are said of each generation, whatever the operator does with it."""
_READ_AGAIN: Final = frozenset({f"{NAME}-config", f"{NAME}-auth"})
"""What may change under pods that run: the log level, and who may call."""
_COMPONENT: Final = "app.kubernetes.io/component"


class Invariants:
    """The invariants of one world."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._copies: dict[str, Object] = {}

    async def check(self, resource: Object) -> None:
        """Check all of them; `resource` is the OrderService as the pass has found it."""
        after = await self._world.resource()
        rollout = (after.get("status") or {}).get("rollout") or {}
        await self._nothing_in_use_is_gone(rollout.get("stable"))
        await self._one_revision_rolls(rollout.get("stable"))
        await self._callers_find_pods()
        await self._status_is_true(resource, after)

    async def _nothing_in_use_is_gone(self, stable: str | None) -> None:
        """What pods need is there, and as it was: of all there are, and of those to go back to."""
        world = self._world
        specs = [
            pod["spec"]
            for pod in await world.kube.list("v1", "pods", world.namespace)
            if pod["metadata"]["labels"].get(_COMPONENT) != DATABASE
        ]
        wanted = set[tuple[str, str, str]]()
        if stable is not None:
            kept = await world.find(*_REVISIONS, f"{NAME}-{stable}")
            assert kept is not None, f"the stable revision {stable} is gone"
            specs.append(kept["data"]["spec"]["template"]["spec"])
            copy = (kept["metadata"].get("annotations") or {}).get(CONFIG_COPY)
            wanted |= {("v1", "configmaps", copy)} if copy else set()
        wanted.update(it for spec in specs for it in _needs(spec))
        found = {it: await world.find(*it) for it in wanted}
        gone = {it for it, obj in found.items() if obj is None}
        assert set() == gone, f"in use and gone: {gone}"
        for (_, plural, name), obj in found.items():
            if obj is not None and plural == "configmaps" and name.startswith(f"{NAME}-"):
                before = self._copies.setdefault(name, obj["data"])
                assert name in _READ_AGAIN or before == obj["data"], f"{name} was changed"
        if wanted:
            policy = await world.get(*_POLICIES, NAME)
            closed = [spec for spec in specs if not _open(policy, spec)]
            assert [] == [_database(spec) for spec in closed], "a database is out of reach"

    async def _one_revision_rolls(self, stable: str | None) -> None:
        """Beside the stable revision one other is given to pods, at most."""
        world = self._world
        given = {
            it["spec"]["template"]["metadata"]["labels"][REVISION]
            for it in await world.kube.list("apps/v1", "deployments", world.namespace)
        }
        assert 1 >= len(given - {stable}), f"{given} roll at once, {stable} is stable"

    async def _callers_find_pods(self) -> None:
        """The Service has a port for whatever pods that serve speak."""
        service = await self._world.find("v1", "services", NAME)
        names = {it["name"] for it in service["spec"]["ports"]} if service is not None else set()
        spoken = {scheme(pod) for pod in await self._world.pods() if ready(pod)}
        assert spoken <= names, f"pods speak {spoken}, and the Service leads to {names}"

    async def _status_is_true(self, resource: Object, after: Object) -> None:
        """Status is of the generation that was reconciled; Ready says whether callers are served.

        Where nothing is wrong and nothing rolls, what is declared is what serves.
        """
        generation = resource["metadata"]["generation"]
        status = after["status"]
        conditions = {it["type"]: it for it in status["conditions"]}
        assert generation == status["observedGeneration"]
        of_now = {conditions[it]["observedGeneration"] for it in _ALWAYS}
        assert {generation} == of_now
        assert ["True", "True"] != [conditions[it]["status"] for it in ("Reconciling", "Stalled")]
        if resource["spec"].get("paused"):
            assert "True" == conditions["Paused"]["status"]
            return
        assert {generation} == {it["observedGeneration"] for it in conditions.values()}
        deployments = await self._world.kube.list("apps/v1", "deployments", self._world.namespace)
        ready = sum((it.get("status") or {}).get("readyReplicas") or 0 for it in deployments)
        none = 0 in [it["spec"]["replicas"] for it in deployments]
        served = conditions["Ready"]["status"] == "True"
        assert served == (ready > 0 or none), f"{ready} pods are ready"
        well = conditions["Degraded"]["status"] == "False"
        if well and conditions["Progressing"]["reason"] == "RolledOut":
            assert "Stable" == status["rollout"]["phase"]
            [deployment] = deployments
            [container] = deployment["spec"]["template"]["spec"]["containers"]
            assert resource["spec"]["image"] == container["image"]


def _needs(spec: Object) -> set[tuple[str, str, str]]:
    """Return what a pod of the service needs of what the operator may delete."""
    found = {("v1", "serviceaccounts", spec["serviceAccountName"])}
    for plural, name in named(spec):
        if plural == "configmaps" or (plural, name) == _METRICS:
            found.add(("v1", plural, name))
        if (plural, name) == ("secrets", EMBEDDED):
            found |= {
                ("v1", "secrets", EMBEDDED),
                ("v1", "services", EMBEDDED),
                ("apps/v1", "statefulsets", EMBEDDED),
            }
    return found


def _database(spec: Object) -> str:
    """Return the Secret that has the URL of a pod's database."""
    [found] = [it for it in spec["volumes"] if it["name"] == "database"]
    name: str = found["secret"]["secretName"]
    return name


def _open(policy: Object, spec: Object) -> bool:
    """Whether a NetworkPolicy lets pods out to their database."""
    secret = _database(spec)
    port = PORTS.get(secret, 5432)
    for rule in policy["spec"]["egress"]:
        if port not in {it["port"] for it in rule.get("ports") or ()}:
            continue
        peers = [it["podSelector"]["matchLabels"] for it in rule.get("to") or ()]
        if not peers or (secret == EMBEDDED and peers[0].get(_COMPONENT) == DATABASE):
            return True
    return False
