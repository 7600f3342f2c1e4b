"""What runs: the Deployments of the stable pods and of the canary's, with their pods. Pure."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from orders_operator.resources.labels import REVISION
from orders_operator.rollout import pods
from orders_operator.rollout.progress import progress
from orders_operator.rollout.situation import Track

Object = dict[str, Any]


class TrackState(Struct, frozen=True):
    """A Deployment and the pods of the revision that it was given."""

    deployment: Object | None = None
    pods: tuple[Object, ...] = ()

    @property
    def revision(self) -> str | None:
        """Return the revision that the Deployment was given."""
        return None if self.deployment is None else _revision(self.deployment)

    @property
    def track(self) -> Track | None:
        """Return what a plan needs to know of it."""
        if self.deployment is None:
            return None
        found, waits = pods.trouble(self.pods), pods.waits(self.pods)
        return Track(self.revision, progress(self.deployment), found, waits)


class Tracks(Struct, frozen=True):
    """What runs now."""

    stable: TrackState = TrackState()
    canary: TrackState = TrackState()


def track_state(deployment: Object | None, found: Sequence[Object], track: str) -> TrackState:
    """Return a Deployment with those of the pods that are of its track and revision."""
    if deployment is None:
        return TrackState()
    return TrackState(deployment, tuple(pods.of_revision(found, track, _revision(deployment))))


def _revision(deployment: Object) -> str | None:
    labels: dict[str, str] = deployment["spec"]["template"]["metadata"].get("labels") or {}
    return labels.get(REVISION)
