"""The facts that a plan is made from, and the plan: plain data.

`status.rollout` is the only state, so another replica of the operator continues where this one
ended.
"""

from datetime import UTC, datetime
from typing import Final

from msgspec import Struct

from orders_operator.api.rollout import Rollout
from orders_operator.api.status import AnalysisStatus, RolloutStatus
from orders_operator.rollout.commands import Commands
from orders_operator.rollout.pods import Failure
from orders_operator.rollout.progress import Progress

PROMOTION: Final = "promotion"
BAKE: Final = "bake"


def step_stage(number: int) -> str:
    """Return the stage for a step of a canary, counted from 1."""
    return f"step {number}"


class Track(Struct, frozen=True):
    """A Deployment: its revision, its progress, and the state of its newest pods.

    Args:
        revision: the revision that it was given.
        progress: the Deployment's own status.
        failure: what is wrong with pods of the revision.
        made: how many of its newest pods exist.
        ready: how many of these take requests.
        lacking: which of them take none, and why.

    """

    revision: str | None
    progress: Progress
    failure: Failure | None = None
    made: int = 0
    ready: int = 0
    lacking: str | None = None

    @property
    def why(self) -> str | None:
        """Return what keeps its pods from being ready; None if nothing is known."""
        if self.progress.refused:
            return self.progress.refused
        return self.lacking if self.failure is None else self.failure.message

    @property
    def shortfall(self) -> str:
        """Return its progress as a sentence, and what keeps it from going further."""
        many = f"{self.made} of {self.progress.wanted} pods are new, {self.ready} of them ready"
        return f"{many}. {self.why}" if self.why else f"{many}."


class Situation(Struct, frozen=True, kw_only=True):
    """The facts that a plan is made from.

    Args:
        declared: `spec.rollout`.
        deadline: the seconds that pods may take until they serve.
        wanted: the revision that the spec asks for.
        known: the revisions whose templates are kept.
        pods: how many stable pods there should be.
        exact: whether a Gateway splits the requests.
        before: `status.rollout`.
        stable: the Deployment of the stable pods.
        canary: the Deployment of the canary's pods.
        commands: a person's commands.
        content: a hash of what the wanted revision reads and the stable one does not; None while
            some of it is missing.
        measured: a window of the analysis that has just ended.
        now: the time.

    """

    declared: Rollout
    deadline: int
    wanted: str
    known: frozenset[str]
    pods: int
    exact: bool
    before: RolloutStatus
    stable: Track | None
    canary: Track | None
    commands: Commands
    content: str | None = None
    measured: AnalysisStatus | None
    now: datetime


class Plan(Struct, frozen=True, kw_only=True):
    """What should run, and the status that says so.

    Args:
        stable: the revision of the stable pods.
        canary: the revision of the canary's pods, if there are any.
        canary_pods: how many those are.
        weight: the share that a Gateway gives them, in percent.
        stage: what the analysis should judge: a step, the promotion, the bake; None for nothing.
        again: the seconds after which time alone changes the plan.
        status: `status.rollout`.

    """

    stable: str
    canary: str | None = None
    canary_pods: int = 0
    weight: int = 0
    stage: str | None = None
    again: float | None = None
    status: RolloutStatus


def stamp(at: datetime) -> str:
    """Return a time as it stands in a status (RFC 3339, whole seconds, UTC)."""
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def moment(text: str | None) -> datetime | None:
    """Return the time of a stamp; None if it is not a time."""
    try:
        return None if text is None else datetime.fromisoformat(text)
    except ValueError:
        return None
