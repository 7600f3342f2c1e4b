"""What a rollout does next, told as stories."""

from msgspec.structs import replace

from orders_operator.api.conditions import Reason
from orders_operator.api.status import RolloutStatus
from orders_operator.rollout.pods import Trouble
from tests.unit.operator_rollout.world import CANARY, CRASHING, ROLLING, World, window


def test_the_first_revision_needs_no_canary() -> None:
    """There is nothing to compare it with."""
    world = World()
    assert RolloutStatus(phase="Stable", revision="a", stable="a") == world.status
    assert world.canary is None


def test_a_canary_goes_through_its_steps() -> None:
    """Each lasts its time and passes a window; then the stable pods are replaced."""
    world = World()
    world.want("b")
    found = world.settle()
    assert ("a", "b", 1) == (found.stable, found.canary, found.canary_pods)
    assert ("Canary", 1, 2, 20) == (
        world.status.phase, world.status.step, world.status.steps, world.status.weight,
    )  # fmt: skip

    world.later(59)
    assert 1 == world.step(window("Passed")).status.step
    world.later(1)
    assert 2 == world.step().status.step
    assert 4 == world.settle().canary_pods

    world.later(60)
    assert 2 == world.step().status.step  # nothing was measured in this step
    found = world.step(window("Passed"))
    assert ("Promoting", "b", "b") == (world.status.phase, found.stable, found.canary)
    world.settle()
    assert RolloutStatus(phase="Stable", revision="b", stable="b") == world.status
    assert world.canary is None


def test_too_few_requests_hold_it() -> None:
    """Time alone never moves a canary on, nor does what passed before the last window."""
    world = World()
    world.want("b")
    world.settle()
    world.step(window("Passed"))
    world.step(window("Inconclusive"))
    world.later(3600)
    found = world.step()
    assert ("Canary", 1, "a") == (found.status.phase, found.status.step, found.stable)


def test_a_window_that_fails_ends_it() -> None:
    """The stable revision has all requests again, and the canary is not tried again."""
    world = World()
    world.want("b")
    world.settle()
    found = world.step(window("Failed", "5 of 100"))
    assert ("a", None, 0) == (found.stable, found.canary, found.weight)
    assert found.status.failed is not None
    assert ("AnalysisFailed", "5 of 100") == (
        found.status.failed.reason, found.status.failed.message,
    )  # fmt: skip

    world.later(3600)
    assert found.status == world.settle().status


def test_so_many_windows_may_fail() -> None:
    """The one over the limit ends it."""
    world = World(
        replace(
            CANARY,
            canary=replace(
                CANARY.canary, analysis=replace(CANARY.canary.analysis, failure_limit=2)
            ),
        )
    )
    world.want("b")
    world.settle()
    phases = [world.step(window("Failed")).status.phase for _ in range(3)]
    assert ["Canary", "Canary", "RolledBack"] == phases


def test_pods_that_crash_end_it() -> None:
    """In a canary, in its promotion, and in a rolling update."""
    for declared in (CANARY, ROLLING):
        world = World(declared)
        world.broken["b"] = CRASHING
        world.want("b")
        found = world.settle()
        assert ("RolledBack", "a", None) == (found.status.phase, found.stable, found.canary)
        assert "PodCrashing" == (found.status.failed and found.status.failed.reason)


def test_what_may_pass_is_waited_for() -> None:
    """A migration that cannot reach its database is no fault of the revision."""
    world = World()
    world.broken["b"] = Trouble(Reason.MIGRATION_FAILED, "cannot connect", may_pass=True)
    world.want("b")
    assert "Canary" == world.settle().status.phase
    world.broken.clear()
    world.later(60)
    assert world.settle().measuring
    world.broken["b"] = Trouble(Reason.MIGRATION_FAILED, "no such column")
    world.act()
    assert "RolledBack" == world.step().status.phase


def test_pods_that_do_not_come_end_it() -> None:
    """Once the deadline of the step has passed."""
    world = World()
    world.want("b")
    world.step()
    world.later(600)
    assert "Canary" == world.step().status.phase
    world.later(1)
    found = world.step()
    assert "ProgressDeadlineExceeded" == (found.status.failed and found.status.failed.reason)


def test_another_revision_is_tried_after_a_failure() -> None:
    """A failure is of one revision; the one before it can be declared again as well."""
    world = World(ROLLING)
    world.broken["b"] = CRASHING
    world.want("b")
    world.settle()
    world.want("c")
    world.settle()
    assert RolloutStatus(phase="Stable", revision="c", stable="c") == world.status
    world.want("b")
    assert world.step().stable == "b"


def test_declaring_the_stable_revision_again_ends_a_canary() -> None:
    """At once, whatever its step."""
    world = World()
    world.want("b")
    world.settle()
    world.want("a")
    found = world.step()
    assert ("a", None) == (found.stable, found.canary)
    assert "Stable" == world.settle().status.phase


def test_a_third_revision_begins_anew() -> None:
    """Its canary starts at the first step; what was measured is of the one before."""
    world = World()
    world.want("b")
    world.settle()
    world.step(window("Passed"))
    world.later(60)
    world.step()
    world.want("c")
    found = world.step()
    assert ("a", "c", 1, None) == (
        found.stable, found.canary, found.status.step, found.status.analysis,
    )  # fmt: skip


def test_old_news_promote_nothing() -> None:
    """What passed before a pause of the operator says nothing of a canary that broke in it."""
    world = World()
    world.want("b")
    world.settle()
    world.step(window("Passed"))
    world.later(6 * 3600)
    assert ("Canary", 1) == (world.step().status.phase, world.status.step)
    world.step(window("Passed"))
    assert 2 == world.status.step
    world.settle()
    world.later(60)
    world.broken["b"] = Trouble(Reason.MIGRATION_FAILED, "cannot connect", may_pass=True)
    world.act()
    found = world.step(window("Passed"))
    assert ("a", "b", 2) == (found.stable, found.canary, found.status.step)


def test_fewer_steps_promote_nothing() -> None:
    """The step that is then the last begins anew."""
    world = World()
    world.want("b")
    world.settle()
    world.step(window("Passed"))
    world.later(60)
    world.step(window("Passed"))
    world.settle()
    world.declared = replace(CANARY, canary=replace(CANARY.canary, steps=CANARY.canary.steps[:1]))
    world.later(60)
    found = world.step(window("Passed"))
    assert ("Canary", 1, "a") == (found.status.phase, found.status.step, found.stable)


def test_an_autoscaler_leaves_the_stable_pods() -> None:
    """As many as there were when the canary began, until it ends."""
    world = World(pods=6)
    world.want("b")
    world.settle()
    world.pods = 3
    assert 6 == world.settle().status.stable_pods
    world.want("a")
    assert world.settle().status.stable_pods is None


def test_what_may_pass_is_waited_for_until_the_deadline() -> None:
    """A registry that does not answer is told at the end, in its words."""
    world = World()
    world.broken["b"] = Trouble(Reason.IMAGE_PULL_FAILED, "ErrImagePull: no route", may_pass=True)
    world.want("b")
    world.settle()
    world.later(600)
    assert world.settle().status.failed is None
    world.later(1)
    failed = world.step().status.failed
    assert failed is not None
    assert Reason.PROGRESS_DEADLINE_EXCEEDED == failed.reason
    assert "0 of 1 pods serve after 600 s. ErrImagePull: no route" == failed.message


def test_a_canary_without_its_deployment_is_late_too() -> None:
    """As when an object of that name is somebody else's."""
    world = World()
    world.want("b")
    for seconds in (0, 600):
        world.later(seconds)
        world.step()
        world.canary = None
    world.later(1)
    failed = world.step().status.failed
    assert failed is not None
    assert Reason.PROGRESS_DEADLINE_EXCEEDED == failed.reason


def test_a_step_is_looked_at_when_it_is_late() -> None:
    """However late the last look was."""
    world = World()
    world.want("b")
    world.step()
    world.later(590)
    assert 11 == world.step().again


def test_without_pods_there_is_no_canary() -> None:
    """Scaled to none, nobody is hurt by a new revision."""
    world = World(pods=0)
    world.want("b")
    world.settle()
    assert RolloutStatus(phase="Stable", revision="b", stable="b") == world.status


def test_a_status_that_was_lost_is_found_again() -> None:
    """What runs and serves is what can be gone back to."""
    world = World()
    world.status = RolloutStatus(phase="Stable")
    world.want("b")
    found = world.settle()
    assert ("a", "b") == (found.stable, found.canary)


def test_a_revision_whose_template_is_gone_cannot_be_gone_back_to() -> None:
    """Then there is only what is declared."""
    world = World()
    world.want("b")
    world.settle()
    world.known = {"b"}
    assert ("b", None) == (world.step().stable, world.step().canary)
