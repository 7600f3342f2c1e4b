"""The controller of StatefulSets of one pod, and of the claims that go with them or stay.

A claim belongs to its StatefulSet, and so goes with it, where `whenDeleted` is `Delete`; else it
is nobody's. A pod that is not ready is not replaced by one of another template
(kubernetes/kubernetes#67250); a pod that is refused is told in an Event alone.
"""

from datetime import UTC, datetime
from typing import Final

from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.client.kube import path
from orders_operator.objects import Object
from tests.helpers.apiserver.deployment_controller import ready, template_hash
from tests.helpers.apiserver.fake_kubelet import NODE
from tests.helpers.apiserver.recording_client import Recording, holds

REVISION: Final = "controller-revision-hash"
PROTECTION: Final = "kubernetes.io/pvc-protection"


class StatefulSets:
    """The controller in one namespace."""

    def __init__(self, kube: Recording, namespace: str) -> None:
        self._kube = kube
        self._namespace = namespace
        self.uids: set[str] = set()

    async def sync(self) -> None:
        """Look at every StatefulSet once."""
        there = await self._kube.list("apps/v1", "statefulsets", self._namespace)
        self.uids = {it["metadata"]["uid"] for it in there}
        for found in there:
            if not found["metadata"].get("deletionTimestamp"):
                await self._sync(found)

    async def _sync(self, wanted: Object) -> None:
        name = f"{wanted['metadata']['name']}-0"
        mark = template_hash(wanted["spec"]["template"])
        for claim in wanted["spec"].get("volumeClaimTemplates") or ():
            await self._claim(wanted, claim, f"{claim['metadata']['name']}-{name}")
        pod = await self._kube.get("v1", "pods", self._namespace, name)
        spare = wanted["spec"]["replicas"] == 0
        if pod is None:
            pod = None if spare else await self._make(wanted, name, mark)
        elif not pod["metadata"].get("deletionTimestamp"):
            other = pod["metadata"]["labels"][REVISION] != mark
            if spare or (other and ready(pod)):  # the next step makes the new one
                await self._kube.request("DELETE", path("v1", "pods", self._namespace, name))
        await self._say(wanted, pod, mark)

    async def _make(self, wanted: Object, name: str, mark: str) -> Object | None:
        """Make a pod, and tell of it; None if it is refused."""
        about = f"create Pod {name} in StatefulSet {wanted['metadata']['name']}"
        try:
            made = await self._create(wanted, name, mark)
        except KubeError as error:
            if error.reason is not ErrorReason.TERMINATING:
                await self._tell(wanted, "FailedCreate", f"{about} failed error: {error.message}")
            return None
        await self._tell(wanted, "SuccessfulCreate", f"{about} successful")
        return made

    async def _tell(self, wanted: Object, reason: str, message: str) -> None:
        """Post an Event; one that was posted before is not repeated."""
        about, name = wanted["metadata"], f"{wanted['metadata']['name']}.{reason.lower()}"
        now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
        found = await self._kube.get("v1", "events", self._namespace, name)
        if found is not None:
            if (found["involvedObject"]["uid"], found["message"]) == (about["uid"], message):
                return
            await self._kube.request("DELETE", path("v1", "events", self._namespace, name))
        made = {
            "apiVersion": "v1",
            "kind": "Event",
            "metadata": {"name": name},
            "involvedObject": {
                "apiVersion": "apps/v1",
                "kind": "StatefulSet",
                "namespace": self._namespace,
                "name": about["name"],
                "uid": about["uid"],
            },
            "reason": reason,
            "message": message,
            "type": "Normal",
            "firstTimestamp": now,
            "lastTimestamp": now,
            "count": 1,
        }
        await self._kube.create("events", made, namespace=self._namespace)

    async def _claim(self, wanted: Object, template: Object, name: str) -> None:
        """Make a claim, and say whose it is."""
        policy = wanted["spec"].get("persistentVolumeClaimRetentionPolicy") or {}
        owners = [
            {
                "apiVersion": "apps/v1",
                "kind": "StatefulSet",
                "name": wanted["metadata"]["name"],
                "uid": wanted["metadata"]["uid"],
                "controller": True,
                "blockOwnerDeletion": True,
            }
        ] * (policy.get("whenDeleted") == "Delete")
        found = await self._kube.get("v1", "persistentvolumeclaims", self._namespace, name)
        if found is None:
            labels = template["metadata"].get("labels") or {}
            labels |= wanted["spec"]["selector"]["matchLabels"]
            metadata = {**template["metadata"], "name": name, "labels": labels}
            metadata |= {"ownerReferences": owners}
            made = {**template, "metadata": metadata} | {
                "apiVersion": "v1",
                "kind": "PersistentVolumeClaim",
            }
            made.pop("status", None)
            plural = "persistentvolumeclaims"
            await self._kube.create(plural, made, namespace=self._namespace)
        elif (found["metadata"].get("ownerReferences") or []) != owners:
            where = path("v1", "persistentvolumeclaims", self._namespace, name)
            await self._kube.merge(where, {"metadata": {"ownerReferences": owners}})

    async def _create(self, wanted: Object, name: str, mark: str) -> Object:
        template = wanted["spec"]["template"]
        volumes = [
            {
                "name": claim["metadata"]["name"],
                "persistentVolumeClaim": {"claimName": f"{claim['metadata']['name']}-{name}"},
            }
            for claim in wanted["spec"].get("volumeClaimTemplates") or ()
        ]
        metadata = {
            **template["metadata"],
            "name": name,
            "labels": {**template["metadata"]["labels"], REVISION: mark},
            "ownerReferences": [
                {
                    "apiVersion": "apps/v1",
                    "kind": "StatefulSet",
                    "name": wanted["metadata"]["name"],
                    "uid": wanted["metadata"]["uid"],
                    "controller": True,
                }
            ],
        }
        spec = {**template["spec"], "nodeName": NODE}
        spec["volumes"] = [*(spec.get("volumes") or ()), *volumes]
        made = {"apiVersion": "v1", "kind": "Pod", "metadata": metadata, "spec": spec}
        return await self._kube.create("pods", made, namespace=self._namespace)

    async def _say(self, wanted: Object, pod: Object | None, mark: str) -> None:
        serving = 1 if pod is not None and ready(pod) else None
        status = {
            "observedGeneration": wanted["metadata"]["generation"],
            "replicas": int(pod is not None),
            "readyReplicas": serving,
            "availableReplicas": serving or 0,  # the only count that is there when it is none
            "updateRevision": mark,
        }
        if not holds(wanted.get("status"), status):
            name = wanted["metadata"]["name"]
            where = path("apps/v1", "statefulsets", self._namespace, name, "status")
            await self._kube.merge(where, {"status": status})
