"""What runs: the Deployments of the stable and the canary's pods, with their pods. Pure."""

from collections.abc import Mapping, Sequence

from msgspec import Struct

from orders_operator.objects import Object
from orders_operator.resources.labels import CONFIG_HASH, REVISION
from orders_operator.rollout import pods
from orders_operator.rollout.progress import progress
from orders_operator.rollout.situation import Track
from orders_operator.rollout.unready import lacking


class TrackState(Struct, frozen=True):
    """A Deployment and the pods of its revision.

    `answers` has what pods that run but are not ready answered at `/readyz`, by their uid.
    """

    deployment: Object | None = None
    pods: tuple[Object, ...] = ()
    answers: Mapping[str, str] = {}

    @property
    def revision(self) -> str | None:
        """Return the revision that the Deployment was given."""
        return None if self.deployment is None else _revision(self.deployment)

    @property
    def newest(self) -> tuple[Object, ...]:
        """Return the pods with the content that the Deployment's template has now."""
        if self.deployment is None:
            return ()
        content = _content(self.deployment["spec"]["template"])
        return tuple(pod for pod in self.pods if _content(pod) == content)

    @property
    def track(self) -> Track | None:
        """Return what a plan needs to know of the Deployment; None without one."""
        if self.deployment is None:
            return None
        return Track(
            self.revision,
            progress(self.deployment),
            pods.failure(self.pods),
            made=len(self.newest),
            ready=sum(map(pods.ready, self.newest)),
            lacking=lacking(self.newest, self.answers),
        )


class Tracks(Struct, frozen=True):
    """Both tracks as they are now."""

    stable: TrackState = TrackState()
    canary: TrackState = TrackState()


def track_state(
    deployment: Object | None, found: Sequence[Object], track: str, answers: Mapping[str, str]
) -> TrackState:
    """Return a Deployment with those of the pods that have its track and revision."""
    if deployment is None:
        return TrackState()
    own = pods.of_revision(found, track, _revision(deployment))
    return TrackState(deployment, tuple(own), answers)


def _revision(deployment: Object) -> str | None:
    labels: dict[str, str] = deployment["spec"]["template"]["metadata"].get("labels") or {}
    return labels.get(REVISION)


def _content(obj: Object) -> str | None:
    """Return the hash of what a pod, or a pod of a template, reads."""
    hash_: str | None = (obj["metadata"].get("annotations") or {}).get(CONFIG_HASH)
    return hash_
