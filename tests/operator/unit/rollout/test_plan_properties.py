"""What holds of every rollout, whatever happens in whatever order."""

from datetime import timedelta
from typing import TYPE_CHECKING

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule
from msgspec.structs import replace

from orders_operator.api.conditions import Reason
from orders_operator.api.rollout import Analysis
from orders_operator.api.status import RolloutStatus
from orders_operator.rollout.pods import Failure
from orders_operator.rollout.situation import moment
from tests.helpers.operator.fake_cluster import CANARY, START, World, window

if TYPE_CHECKING:
    from orders_operator.rollout.situation import Plan

revisions = st.sampled_from(["a", "b", "c", "d"])


class Rollouts(RuleBasedStateMachine):
    """A world in which anything may happen between two plans."""

    def __init__(self) -> None:
        """Start with one revision in place."""
        super().__init__()
        self.world = World()
        self.plan: Plan = self.world.step()
        self.good = {"a"}

    @rule(revision=revisions)
    def declare(self, revision: str) -> None:
        """Somebody changes the pods."""
        self.world.want(revision)

    @rule(
        strategy=st.sampled_from(["Canary", "RollingUpdate"]),
        analysis=st.sampled_from([None, CANARY.canary.analysis]),
        rollback=st.sampled_from(["Automatic", "Manual"]),
    )
    def redeclare(self, strategy: str, analysis: Analysis | None, rollback: str) -> None:
        """Somebody changes how rollouts go."""
        update = replace(CANARY.rolling_update, analysis=analysis)
        self.world.declared = replace(
            CANARY, strategy=strategy, rolling_update=update, rollback=rollback
        )

    @rule(pods=st.integers(0, 6))
    def scale(self, pods: int) -> None:
        """Somebody, or an autoscaler, changes the number of pods."""
        self.world.pods = pods

    @rule(revision=revisions, breaks=st.booleans())
    def break_or_mend(self, revision: str, breaks: bool) -> None:  # noqa: FBT001  a rule's argument
        """Pods of a revision begin to crash, or to run."""
        if breaks:
            self.world.broken[revision] = Failure(Reason.POD_CRASHING, "exit status 1")
        else:
            self.world.broken.pop(revision, None)

    @rule(word=st.sampled_from(["promote", "abort", "pause"]), revision=revisions)
    def command(self, word: str, revision: str) -> None:
        """A person says something."""
        self.world.tell(**{word: revision})

    @rule()
    def retry(self) -> None:
        """A person wants the last failure tried again."""
        failed = self.world.status.failed
        if failed is not None:
            self.world.tell(retry=f"{failed.revision}@{failed.at}")

    @rule()
    def act(self) -> None:
        """The Deployments reach what they were told."""
        self.world.act()

    @rule(seconds=st.sampled_from([1, 30, 61, 700]))
    def wait(self, seconds: int) -> None:
        """Time passes."""
        self.world.later(seconds)

    @rule(verdict=st.sampled_from(["Passed", "Failed", "Inconclusive"]))
    def measure(self, verdict: str) -> None:
        """A window ends, if the plan asked for one."""
        if self.plan.stage:
            self._plan(verdict)

    @rule()
    def reconcile(self) -> None:
        """The operator plans."""
        self._plan(None)

    def _plan(self, verdict: str | None) -> None:
        before = self.world.status
        wanted, promoted = self.world.wanted, self.world.said.promote
        if before.phase == "Baking" and before.revision:
            self.good.add(before.revision)  # it has replaced the one before, and serves
        self.plan = self.world.step(None if verdict is None else window(verdict))
        after = self.plan.status
        forward = before.revision == wanted == after.revision and before.phase == "Canary"
        if forward and (after.step or 0) > (before.step or 0):
            assert before.settled_at is not None
        watched = forward and self.world.declared.strategy == "Canary" and self.world.pods
        if watched and after.phase in {"Promoting", "Stable"} and promoted != wanted:
            assert after.analysis is None or "Passed" == after.analysis.verdict
        if after.phase == "Stable" and after.stable:
            self.good.add(after.stable)
        self._judged(before, after)

    def _judged(self, before: RolloutStatus, after: RolloutStatus) -> None:
        """A canary ends as stable by a person's word, or after its bake and a window of it."""
        of_one = before.revision == self.world.wanted == after.revision
        watched = self.world.declared.strategy == "Canary"
        told = self.world.said.promote == self.world.wanted
        if of_one and watched and not told and self.world.pods and after.phase == "Stable":
            assert before.phase in {"Baking", "Stable", "Progressing"}
        if (
            of_one
            and before.phase == "Baking"
            and after.phase == "Stable"
            and watched
            and not told
        ):
            assert self.world.now - (moment(before.settled_at) or START) >= timedelta(seconds=60)
            assert self.world.pods

    @invariant()
    def without_pods_nothing_is_decided(self) -> None:
        """A canary that was scaled to none neither fails nor becomes stable."""
        status = self.plan.status
        if status.phase in {"Canary", "Paused"} and not self.world.pods:
            assert (1, None, None) == (status.step, self.plan.canary, self.plan.stage)

    @invariant()
    def only_what_is_known_runs(self) -> None:
        """Every revision that is to run has a template."""
        assert {self.plan.stable, self.plan.canary} - {None} <= self.world.known

    @invariant()
    def the_stable_pods_wait_for_the_canary(self) -> None:
        """While it is watched, they stay of the revision that can be gone back to."""
        status = self.plan.status
        if status.phase in {"Canary", "Paused", "RolledBack"}:
            assert status.stable == self.plan.stable
        if status.stable is not None:
            assert status.stable in self.good

    @invariant()
    def what_failed_runs_nowhere(self) -> None:
        """Neither as canary nor among the stable pods; only one that was halted stays."""
        failed, phase = self.plan.status.failed, self.plan.status.phase
        if failed is not None:
            assert phase in {"RolledBack", "Halted"}
        if phase == "RolledBack":
            assert failed is not None
            assert None is self.plan.canary
            assert failed.revision != self.plan.stable

    @invariant()
    def a_canary_is_smaller_than_the_rest(self) -> None:
        """It has a pod at least, and as many as the stable ones at most when it was placed."""
        if self.plan.status.phase == "Canary":
            assert min(1, self.world.pods) <= self.plan.canary_pods <= 6
        if self.plan.canary is None:
            assert (0, 0) == (self.plan.canary_pods, self.plan.weight)

    @invariant()
    def planning_again_changes_nothing(self) -> None:
        """Once everything is as it was told, the same facts give the same plan."""
        self.world.step()
        self.world.step()
        first, again = self.world.step(), self.world.step()
        assert (first.stable, first.canary, first.canary_pods) == (
            again.stable,
            again.canary,
            again.canary_pods,
        )
        assert first.status == again.status
        self.plan = again
        if again.status.phase == "Stable" and again.status.stable:
            self.good.add(again.status.stable)
        if again.status.phase == "Baking" and again.status.revision:
            self.good.add(again.status.revision)


TestRollouts = Rollouts.TestCase
