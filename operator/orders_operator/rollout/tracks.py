"""What runs: the Deployments of the stable pods and of the canary's, with their pods. Pure."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from orders_operator.resources.labels import REVISION
from orders_operator.rollout import pods
from orders_operator.rollout.progress import progress
from orders_operator.rollout.situation import Track

Object = dict[str, Any]


class Seen(Struct, frozen=True):
    """A Deployment and the pods of its newest revision."""

    deployment: Object | None = None
    pods: tuple[Object, ...] = ()

    @property
    def track(self) -> Track | None:
        """Return what a plan needs to know of it."""
        if self.deployment is None:
            return None
        labels = self.deployment["spec"]["template"]["metadata"].get("labels") or {}
        return Track(labels.get(REVISION), progress(self.deployment), pods.trouble(self.pods))

    @property
    def serving(self) -> list[Object]:
        """Return the pods that take requests."""
        return [pod for pod in self.pods if pods.ready(pod)]


class Tracks(Struct, frozen=True):
    """What runs now."""

    stable: Seen = Seen()
    canary: Seen = Seen()


def seen(deployment: Object | None, sets: Sequence[Object], found: Sequence[Object]) -> Seen:
    """Return a Deployment with those of the pods that are of its newest ReplicaSet."""
    if deployment is None:
        return Seen()
    newest = pods.newest_hash(sets, deployment["metadata"]["uid"])
    return Seen(deployment, tuple(pods.of_revision(found, newest)))
