"""The observed state: everything from which the status is made, and nothing else."""

from typing import Final

from msgspec import Struct

from orders_operator.api.conditions import Reason
from orders_operator.api.status import Autoscaled, RetainedClaim, RolloutStatus
from orders_operator.objects import Object
from orders_operator.rollout.pods import Failure
from orders_operator.rollout.tracks import Tracks

_BESIDE: Final = frozenset({"Canary", "Paused", "Promoting", "Baking"})
"""Phases of a rollout that wait for something."""


class ConditionState(Struct, frozen=True):
    """A condition without its times."""

    status: str
    reason: Reason
    message: str


class Observed(Struct, frozen=True, kw_only=True):
    """The observed state of an OrderService and its children.

    `failures` are sorted, the most serious first. `rollout` is None if no rollout was planned.
    `absent` has the optional APIs that the spec asks for and the cluster does not serve.
    `database` is the failure of an embedded database's pod. `hidden` says that pods or Deployments
    could not be read. `begun` says whether `rollout` is about the revision that the spec asks for:
    while that one lacks something, `rollout` is about the one before.
    """

    generation: int
    paused: bool = False
    invalid: str | None = None
    failures: tuple[Failure, ...] = ()
    tracks: Tracks = Tracks()
    rollout: RolloutStatus | None = None
    absent: tuple[str, ...] = ()
    monitoring: bool = True
    migrations: bool = True
    image: str = ""
    url: str = ""
    selector: str = ""
    secrets_hash: str = ""
    retained_claim: RetainedClaim | None = None
    autoscaled: Autoscaled | None = None
    database: Failure | None = None
    hidden: bool = False
    begun: bool = True

    @property
    def newest(self) -> tuple[Object, ...]:
        """Return the pods of the newest revision."""
        return self.tracks.canary.pods or self.tracks.stable.pods

    @property
    def stepping(self) -> bool:
        """Whether a new revision runs beside the stable one."""
        return self.rollout is not None and self.rollout.phase in _BESIDE

    @property
    def message(self) -> str:
        """Return the rollout's message; empty without one."""
        return (self.rollout.message if self.rollout is not None else None) or ""
