"""What becomes of pods, as a kubelet would say it: tests choose a fate for each image.

A container starts when the Secrets and ConfigMaps that its pod names are there; one that runs goes
on without them.
"""

from collections.abc import Awaitable, Callable, Iterator
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import Final

from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.client.kube import path
from orders_operator.objects import Object
from tests.helpers.apiserver.recording_client import Recording, holds
from tests.helpers.ports import own_number

NODE: Final = "node-1"
_BEGAN: Final = "2026-01-01T00:00:00Z"
_OWN: Final = frozenset({"orders", "postgresql"})
_STARTS: Final = timedelta(seconds=5)
"""What a pod takes at least until it is ready."""
_DIGEST: Final = "sha256:" + "ab" * 32
_UNPULLED: Final = {"state": {"waiting": {"reason": "ErrImagePull", "message": "no such"}}}
_MISNAMED: Final = {
    "state": {"waiting": {"reason": "InvalidImageName", "message": "couldn't parse it"}}
}
_REPORT: Final = '{"version":"1.0.0","schema":3}'


class Fate(Enum):
    """What becomes of a pod of the service."""

    READY = auto()
    STARTING = auto()
    MIGRATING = auto()
    UNREADY = auto()
    CRASHING = auto()
    UNMIGRATED = auto()
    DATABASE_AWAY = auto()
    UNPULLED = auto()
    MISNAMED = auto()


_NETWORK: Final = 77
"""Of 127.0.0.0/8, the first that tests use."""
_RUNNING: Final = frozenset({Fate.READY, Fate.UNREADY, Fate.CRASHING})


class Kubelet:
    """The kubelet of the only node."""

    def __init__(self, kube: Recording, namespace: str) -> None:
        """Have every pod become ready until told otherwise."""
        self._kube = kube
        self._namespace = namespace
        self.fates: dict[str, Fate] = {}
        """By image."""
        self.lingering = False
        """Whether pods that are deleted stay, as with requests in flight."""
        self.on_address: Callable[[Object, str], Awaitable[None]] | None = None
        """Called with a pod and the address that it has been given."""
        self._addresses = addresses()

    async def sync(self) -> None:
        """Look at every pod once."""
        for pod in await self._kube.list("v1", "pods", self._namespace):
            if pod["metadata"].get("deletionTimestamp"):
                if not self.lingering:
                    await self._remove(pod)
            else:
                await self._run(pod)

    async def evict(self, pod: Object) -> None:
        """End a pod as a node does that has no memory left; it stays, as Failed."""
        await self._write(pod, {"phase": "Failed", "reason": "Evicted"})

    async def _run(self, pod: Object) -> None:
        before = pod.get("status") or {}
        if before.get("phase") == "Failed":
            return
        image = own_container(pod)["image"]
        fate = self.fates.get(image, Fate.READY)
        if before.get("phase") != "Running" and not await self._has_all(pod):
            fate = Fate.STARTING
        if before.get("podIP"):
            address = before["podIP"]
        else:
            address = next(self._addresses)
            if self.on_address is not None:
                await self.on_address(pod, address)
        after = _status(pod, fate, address)
        if not holds(before, after):
            await self._write(pod, after)

    async def _has_all(self, pod: Object) -> bool:
        """Whether all is there that the pod names."""
        for plural, name in named(pod["spec"]):
            if await self._kube.get("v1", plural, self._namespace, name) is None:
                return False
        return True

    async def _write(self, pod: Object, status: Object) -> None:
        name = pod["metadata"]["name"]
        await self._kube.merge(
            path("v1", "pods", self._namespace, name, "status"), {"status": status}
        )

    async def _remove(self, pod: Object) -> None:
        where = path("v1", "pods", self._namespace, pod["metadata"]["name"])
        try:
            await self._kube.request("DELETE", where, {"gracePeriodSeconds": "0"})
        except KubeError as error:
            if error.reason is not ErrorReason.NOT_FOUND:
                raise


def own_container(pod: Object) -> Object:
    """Return the container that is the pod's purpose, wherever a sidecar stands."""
    containers: list[Object] = pod["spec"]["containers"]
    return next(it for it in containers if it["name"] in _OWN)


def addresses() -> Iterator[str]:
    """Return addresses of this very machine, so that tests can serve what a pod would.

    No other process of tests has the same.
    """
    network = _NETWORK + own_number()
    for number in range(1 << 16):
        yield f"127.{network}.{number >> 8}.{number & 255}"


def named(spec: Object) -> set[tuple[str, str]]:
    """Return the Secrets and ConfigMaps, by plural and name, that a pod's spec names."""
    found = set()
    for volume in spec.get("volumes") or ():
        if "secret" in volume:
            found.add(("secrets", volume["secret"]["secretName"]))
        if "configMap" in volume:
            found.add(("configmaps", volume["configMap"]["name"]))
    for container in (*(spec.get("initContainers") or ()), *spec["containers"]):
        for variable in container.get("env") or ():
            source = variable.get("valueFrom") or {}
            for field, plural in (("secretKeyRef", "secrets"), ("configMapKeyRef", "configmaps")):
                if field in source and not source[field].get("optional"):
                    found.add((plural, source[field]["name"]))
    return found


def _status(pod: Object, fate: Fate, address: str) -> Object:
    """Return what the kubelet says of a pod, field by field as far as anybody reads it."""
    ready = fate is Fate.READY
    names = [it["name"] for it in pod["spec"]["containers"]]
    first = [it["name"] for it in pod["spec"].get("initContainers") or ()]
    before = pod.get("status") or {}
    now = datetime.now(UTC)
    began = before.get("startTime") or _stamp(now)
    old: Object = next((it for it in before.get("conditions") or () if it["type"] == "Ready"), {})
    changed = _stamp(now + _STARTS) if ready or old else began
    condition = {"type": "Ready", "status": str(ready), "lastTransitionTime": changed}
    status = {
        "phase": "Running" if fate in _RUNNING else "Pending",
        "startTime": began,
        "podIP": address,
        "podIPs": [{"ip": address}],
        "conditions": [old if old.get("status") == str(ready) else condition],
        "containerStatuses": [_container(pod, name, fate) for name in names],
    }
    if first:
        status["initContainerStatuses"] = [_init_container(pod, name, fate) for name in first]
    return status


def _stamp(at: datetime) -> str:
    return at.strftime("%Y-%m-%dT%H:%M:%SZ")


def _container(pod: Object, name: str, fate: Fate) -> Object:
    crashed = {"terminated": _ended(1, "it cannot serve")}
    runs = {"started": True, "state": {"running": {"startedAt": _BEGAN}}}
    states: dict[Fate, Object] = {
        Fate.READY: {"ready": True, **runs},
        Fate.UNREADY: runs,
        Fate.CRASHING: {
            "restartCount": 3,
            "state": {"waiting": {"reason": "CrashLoopBackOff"}},
            "lastState": crashed,
        },
        Fate.UNPULLED: _UNPULLED,
        Fate.MISNAMED: _MISNAMED,
    }
    starting = {"state": {"waiting": {"reason": "PodInitializing"}}}
    return _about(pod, name, "containers") | states.get(fate, starting)


def _init_container(pod: Object, name: str, fate: Fate) -> Object:
    states: dict[Fate, Object] = {
        Fate.STARTING: {"state": {"waiting": {"reason": "PodInitializing"}}},
        Fate.MIGRATING: {"state": {"running": {"startedAt": _BEGAN}}},
        Fate.UNPULLED: _UNPULLED,
        Fate.MISNAMED: _MISNAMED,
        Fate.UNMIGRATED: {"restartCount": 1, "state": {"terminated": _ended(1, "it is odd")}},
        Fate.DATABASE_AWAY: {"restartCount": 1, "state": {"terminated": _ended(75, "away")}},
    }
    done = {"ready": True, "state": {"terminated": _ended(0, _REPORT)}}
    return _about(pod, name, "initContainers") | states.get(fate, done)


def _about(pod: Object, name: str, field: str) -> Object:
    image = next(it["image"] for it in pod["spec"][field] if it["name"] == name)
    return {
        "name": name,
        "image": image,
        "imageID": f"{image.rpartition(':')[0]}@{_DIGEST}",
        "ready": False,
        "started": False,
        "restartCount": 0,
        "lastState": {},
    }


def _ended(code: int, message: str) -> Object:
    reason = "Error" if code else "Completed"
    return {
        "exitCode": code,
        "reason": reason,
        "message": message,
        "startedAt": _BEGAN,
        "finishedAt": _BEGAN,
    }
