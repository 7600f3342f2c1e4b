"""A small world for plans: Deployments that reach what they are told, and a clock."""

from datetime import UTC, datetime, timedelta
from typing import Any

from msgspec.structs import replace

from orders_operator.api.conditions import Reason
from orders_operator.api.rollout import Analysis, Canary, Rollout, Step
from orders_operator.api.status import AnalysisStatus, RolloutStatus
from orders_operator.rollout.commands import Commands
from orders_operator.rollout.plan import plan
from orders_operator.rollout.pods import Failure
from orders_operator.rollout.progress import Progress
from orders_operator.rollout.situation import Plan, Situation, Track, stamp

CRASHING = Failure(Reason.POD_CRASHING, "exit status 2")
START = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
CANARY = Rollout(
    strategy="Canary",
    canary=Canary(
        steps=(Step(weight=25, duration="1m"), Step(weight=50, duration="1m")),
        analysis=Analysis(failure_limit=0),
    ),
)
ROLLING = Rollout()


def window(verdict: Any, message: str = "numbers") -> AnalysisStatus:
    """Return what a window says that ends when it is planned with."""
    return AnalysisStatus(verdict, message, "", 30.0)


class World:
    """One OrderService: what is declared, what runs, and what the last plan said."""

    def __init__(self, declared: Rollout = CANARY, pods: int = 4) -> None:
        """Start with revision `a` rolled out."""
        self.declared = declared
        self.pods = pods
        self.wanted = "a"
        self.known = {"a"}
        self.now = START
        self.said = Commands()
        self.broken: dict[str, Failure] = {}
        self.stable: Track | None = None
        self.canary: Track | None = None
        self.status = RolloutStatus(phase="Stable")
        self.stage: str | None = None
        self.settle()

    def step(self, measured: AnalysisStatus | None = None) -> Plan:
        """Plan once, and give the Deployments what the plan says; they have not acted yet."""
        if measured is not None:
            measured = replace(measured, at=stamp(self.now), stage=self.stage)
        found = plan(self.situation(measured))
        self.stable = self._given(self.stable, found.stable, self.pods)
        if found.canary is None:
            self.canary = None
        else:
            self.canary = self._given(self.canary, found.canary, found.canary_pods)
        self.status, self.stage = found.status, found.stage
        return found

    def bake(self) -> Plan:
        """Settle, have the new revision bake, and pass a window of that."""
        self.settle()
        self.later(60)
        self.step(window("Passed"))
        return self.settle()

    def settle(self) -> Plan:
        """Plan, let the Deployments act, and plan again, until nothing new comes of it."""
        for _ in range(10):
            before = (self.status, self.stable, self.canary)
            self.step()
            self.act()
            if before == (self.status, self.stable, self.canary):
                break
        return self.step()

    def act(self) -> None:
        """Let both Deployments reach what they were told, unless their revision is broken."""
        self.stable = self._acted(self.stable)
        self.canary = self._acted(self.canary)

    def want(self, revision: str) -> None:
        """Declare other pods."""
        self.wanted = revision
        self.known.add(revision)

    def tell(self, **commands: str) -> None:
        """Say something, and nothing else."""
        self.said = Commands(**commands)

    def later(self, seconds: float) -> None:
        """Let time pass."""
        self.now += timedelta(seconds=seconds)

    def situation(self, measured: AnalysisStatus | None = None) -> Situation:
        """Return what a plan is made of now."""
        return Situation(
            declared=self.declared,
            deadline=600,
            wanted=self.wanted,
            known=frozenset(self.known),
            pods=self.pods,
            exact=False,
            before=self.status,
            stable=self.stable,
            canary=self.canary,
            commands=self.said,
            measured=measured,
            now=self.now,
        )

    def _given(self, track: Track | None, revision: str, pods: int) -> Track:
        if track is not None and (track.revision, track.progress.wanted) == (revision, pods):
            return track
        same = track is not None and track.revision == revision
        available = min(pods, track.progress.available) if track is not None else 0
        return Track(revision, _progress(pods, available, done=False, updated=same))

    def _acted(self, track: Track | None) -> Track | None:
        if track is None or track.revision is None:
            return None
        failure = self.broken.get(track.revision)
        pods = track.progress.wanted
        if failure is not None and track.progress.wanted:
            return Track(track.revision, _progress(pods, 0, done=False), failure)
        return Track(track.revision, _progress(pods, pods, done=True))


def _progress(pods: int, available: int, *, done: bool, updated: bool = True) -> Progress:
    return Progress(
        current=done or updated,
        wanted=pods,
        updated=pods if done else 0,
        total=pods,
        available=available,
        ready=available,
        complete=done,
        late=False,
    )
