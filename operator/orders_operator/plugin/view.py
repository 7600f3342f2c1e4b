"""The view of an OrderService that screens are drawn from; `-o json` prints it. Pure."""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import Struct

from orders_operator.api.conditions import ConditionType
from orders_operator.api.decode import InvalidSpec, decode
from orders_operator.api.rollout import Rollout
from orders_operator.api.status import Condition, OrderServiceStatus, RolloutStatus
from orders_operator.objects import Object
from orders_operator.plugin import Refused
from orders_operator.plugin.pods import Pod, pod_of
from orders_operator.plugin.snapshot import ServiceSnapshot
from orders_operator.resources.revision import stored
from orders_operator.rollout.pods import declared_image
from orders_operator.rollout.situation import moment

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


class RevisionView(Struct, frozen=True, rename="camel"):
    """A revision: a pod template that is kept.

    `roles` are any of stable, canary, new (it is about to replace the stable one) and failed.
    """

    revision: str
    number: int
    image: str
    created_at: datetime | None
    roles: tuple[str, ...]


class Event(Struct, frozen=True, rename="camel"):
    """An Event of the operator; `type` is Normal or Warning."""

    at: datetime | None
    type: str
    reason: str
    message: str


class ServiceView(Struct, frozen=True, rename="camel", kw_only=True):
    """An OrderService: its declaration, its state and its Events, the newest last.

    `declared` is None if the spec is invalid; the condition Degraded then says why.
    """

    namespace: str
    name: str
    paused: bool
    declared: Rollout | None
    status: OrderServiceStatus
    revisions: tuple[RevisionView, ...]
    pods: tuple[Pod, ...]
    events: tuple[Event, ...]

    @property
    def rollout(self) -> RolloutStatus | None:
        """Return the rollout; None if no operator that supports rollouts has written a status."""
        return self.status.rollout

    def condition(self, kind: str) -> Condition | None:
        """Return the condition of a type; None without one."""
        return next(
            (condition for condition in self.status.conditions if condition.type == kind), None
        )

    @property
    def stalled(self) -> Condition | None:
        """Return the condition Stalled if it is True; an older operator does not set it."""
        stalled = self.condition(ConditionType.STALLED)
        return stalled if stalled is not None and stalled.status == "True" else None


def view(snapshot: ServiceSnapshot) -> ServiceView:
    """Return the view of a snapshot.

    Raises:
        Refused: the status has something that this release does not know.

    """
    metadata = snapshot.resource["metadata"]
    status = status_of(snapshot.resource)
    return ServiceView(
        namespace=metadata["namespace"],
        name=metadata["name"],
        paused=snapshot.resource["spec"].get("paused") is True,
        declared=_declared(snapshot.resource),
        status=status,
        revisions=_revisions(snapshot.revisions, metadata["name"], status.rollout),
        pods=tuple(sorted(map(pod_of, snapshot.pods), key=lambda pod: (pod.created_at, pod.name))),
        events=_events(snapshot.events),
    )


def status_of(resource: Mapping[str, Any]) -> OrderServiceStatus:
    """Return the status of an OrderService.

    Raises:
        Refused: it has something that this release does not know.

    """
    try:
        return msgspec.convert(resource.get("status") or {}, OrderServiceStatus)
    except msgspec.ValidationError as error:
        name = resource["metadata"]["name"]
        text = f"the status of {name} comes from a release that this plugin does not know: {error}"
        raise Refused(text) from None


def _declared(resource: Object) -> Rollout | None:
    try:
        return decode(resource).spec.rollout
    except InvalidSpec:
        return None


def _revisions(
    kept: Iterable[Object], name: str, rollout: RolloutStatus | None
) -> tuple[RevisionView, ...]:
    """Return the revisions, the newest first."""
    views = [
        RevisionView(
            revision=(revision := kind["metadata"]["name"].removeprefix(f"{name}-")),
            number=int(kind.get("revision") or 0),
            image=_image(kind) or "",
            created_at=moment(kind["metadata"].get("creationTimestamp")),
            roles=tuple(_roles(revision, rollout)),
        )
        for kind in kept
    ]
    return tuple(sorted(views, key=lambda revision: revision.number, reverse=True))


def _roles(revision: str, rollout: RolloutStatus | None) -> Iterable[str]:
    if rollout is None:
        return
    if revision == rollout.stable:
        yield "stable"
    failed = rollout.failed is not None and revision == rollout.failed.revision
    if revision == rollout.canary:
        yield "canary"
    elif revision == rollout.revision != rollout.stable and not failed:
        yield "new"
    if failed:
        yield "failed"


def _image(controller_revision: Object) -> str | None:
    kept = stored(controller_revision)
    return None if kept is None else declared_image(kept.template)


def _events(events: Iterable[Object]) -> tuple[Event, ...]:
    views = [
        Event(
            at=_happened(event),
            type=event.get("type") or "Normal",
            reason=event.get("reason") or "",
            message=event.get("message") or "",
        )
        for event in events
    ]
    return tuple(sorted(views, key=lambda event: event.at or _LONG_AGO))


def _happened(event: Object) -> datetime | None:
    """Return when an Event was last seen; its various writers fill in different fields."""
    series = event.get("series") or {}
    stamps = (
        series.get("lastObservedTime"),
        event.get("lastTimestamp"),
        event.get("eventTime"),
        event["metadata"].get("creationTimestamp"),
    )
    return moment(next(filter(None, stamps), None))
