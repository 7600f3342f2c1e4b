"""The controller of Deployments, with its ReplicaSets left out: pods come and go as with them.

One step at a time: it makes and deletes what the present state allows, so that tests see a rollout
on its way.
"""

import hashlib
import uuid
from math import ceil
from typing import Final

from msgspec import json

from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.client.kube import path
from orders_operator.objects import Object
from tests.helpers.apiserver.fake_kubelet import NODE
from tests.helpers.apiserver.recording_client import Recording, holds

TEMPLATE_HASH: Final = "pod-template-hash"


class Deployments:
    """The controller in one namespace."""

    def __init__(self, kube: Recording, namespace: str) -> None:
        self._kube = kube
        self._namespace = namespace
        self.uids: set[str] = set()
        self._complete: set[tuple[str, str]] = set()
        self._made = 0
        self.late: set[str] = set()
        """Names of Deployments whose deadline is over, until they are complete."""

    async def sync(self) -> None:
        """Look at every Deployment once."""
        pods = await self._kube.list("v1", "pods", self._namespace)
        there = await self._kube.list("apps/v1", "deployments", self._namespace)
        self.uids = {it["metadata"]["uid"] for it in there}
        for deployment in there:
            if not deployment["metadata"].get("deletionTimestamp"):
                await self._sync(deployment, [it for it in pods if owned(it, deployment)])

    async def _sync(self, deployment: Object, pods: list[Object]) -> None:
        replicas = deployment["spec"]["replicas"]
        surge, unavailable = allowed(deployment["spec"])
        mark = template_hash(deployment["spec"]["template"])
        there = [pod for pod in pods if not _leaving(pod) and not _ended(pod)]
        new = [pod for pod in there if _hash(pod) == mark]
        old = [pod for pod in there if _hash(pod) != mark]
        refused = None
        for _ in range(min(replicas - len(new), replicas + surge - len(there))):
            try:
                new.append(await self._create(deployment, mark))
            except KubeError as error:
                if error.reason is ErrorReason.TERMINATING:
                    return
                refused = error.message
                break
        spare = sum(map(ready, new + old)) - (replicas - unavailable)
        unfit = [pod for pod in old if not ready(pod)]
        gone = unfit + [pod for pod in old if ready(pod)][: max(0, spare)]
        gone += sorted(new, key=ready)[: max(0, len(new) - replicas)]
        for pod in gone:
            await self._kube.request("DELETE", path("v1", "pods", self._namespace, _name(pod)))
        left = [pod for pod in new + old if pod not in gone]
        status = self._status(deployment, mark, left, refused)
        if not holds(deployment.get("status"), status):
            where = path("apps/v1", "deployments", self._namespace, _name(deployment), "status")
            await self._kube.merge(where, {"status": status})

    async def _create(self, deployment: Object, mark: str) -> Object:
        self._made += 1
        template, uid = deployment["spec"]["template"], deployment["metadata"]["uid"]
        metadata = {
            **template["metadata"],
            "name": f"{_name(deployment)}-{mark}-{self._made:05}",
            "labels": {**template["metadata"]["labels"], TEMPLATE_HASH: mark},
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "ReplicaSet",
                    "name": f"{_name(deployment)}-{mark}",
                    "uid": replica_set(uid, mark),
                    "controller": True,
                }
            ],
        }
        spec = {**template["spec"], "nodeName": NODE}
        wanted = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
        return await self._kube.create("pods", wanted, namespace=self._namespace)

    def _status(
        self, deployment: Object, mark: str, pods: list[Object], refused: str | None
    ) -> Object:
        replicas, uid = deployment["spec"]["replicas"], deployment["metadata"]["uid"]
        updated = sum(_hash(pod) == mark for pod in pods)
        available = sum(map(ready, pods))
        if updated == replicas == available == len(pods):
            self._complete.add((uid, mark))
            self.late.discard(_name(deployment))
        self._complete -= {it for it in self._complete if it[0] == uid and it[1] != mark}
        reason, status = "ReplicaSetUpdated", "True"
        if (uid, mark) in self._complete:
            reason = "NewReplicaSetAvailable"
        elif _name(deployment) in self.late:
            reason, status = "ProgressDeadlineExceeded", "False"
        conditions = [{"type": "Progressing", "status": status, "reason": reason}]
        if refused is not None:
            old = (deployment.get("status") or {}).get("conditions") or ()
            failure = {"type": "ReplicaFailure", "status": "True", "message": refused}
            conditions.append(next((it for it in old if it["type"] == failure["type"]), failure))
        found = {
            "observedGeneration": deployment["metadata"]["generation"],
            "conditions": conditions,
        }
        counts = {
            "replicas": len(pods),
            "updatedReplicas": updated,
            "readyReplicas": available,
            "availableReplicas": available,
        }
        # A count of none is left out, as the API server leaves it out.
        return found | {name: number or None for name, number in counts.items()}


def allowed(spec: Object) -> tuple[int, int]:
    """Return how many pods there may be beyond those wanted, and how many may be missing."""
    update = spec["strategy"]["rollingUpdate"]
    surge, unavailable = (
        ceil(spec["replicas"] * int(it[:-1]) / 100) if isinstance(it, str) else int(it)
        for it in (update["maxSurge"], update["maxUnavailable"])
    )
    return surge, unavailable


def template_hash(template: Object) -> str:
    """Return the hash of a pod template."""
    return hashlib.sha256(json.encode(template, order="sorted")).hexdigest()[:10]


def replica_set(deployment: str, mark: str) -> str:
    """Return the uid of the ReplicaSet of a template, by the uid of its Deployment."""
    return str(uuid.uuid5(uuid.UUID(deployment), mark))


def owned(pod: Object, deployment: Object) -> bool:
    """Whether a pod is that of a Deployment's ReplicaSet."""
    uid = replica_set(deployment["metadata"]["uid"], _hash(pod))
    return any(it["uid"] == uid for it in pod["metadata"].get("ownerReferences") or ())


def ready(pod: Object) -> bool:
    """Whether a pod is ready."""
    conditions = (pod.get("status") or {}).get("conditions") or ()
    return any(it["type"] == "Ready" and it["status"] == "True" for it in conditions)


def _name(obj: Object) -> str:
    name: str = obj["metadata"]["name"]
    return name


def _hash(pod: Object) -> str:
    return str((pod["metadata"].get("labels") or {}).get(TEMPLATE_HASH, ""))


def _leaving(pod: Object) -> bool:
    return bool(pod["metadata"].get("deletionTimestamp"))


def _ended(pod: Object) -> bool:
    return (pod.get("status") or {}).get("phase") in {"Failed", "Succeeded"}
