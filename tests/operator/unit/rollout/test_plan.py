"""What a rollout does next, told as stories."""

from msgspec.structs import replace

from orders_operator.api.conditions import Reason
from orders_operator.api.rollout import Analysis, Rollout
from orders_operator.api.status import RolloutStatus
from orders_operator.rollout.pods import Failure
from tests.helpers.operator.fake_cluster import CANARY, CRASHING, ROLLING, World, window


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
    found = world.settle()
    assert ("Baking", "b", None, "bake") == (
        world.status.phase, found.stable, found.canary, found.stage,
    )  # fmt: skip
    assert "a" == world.status.stable
    world.bake()
    assert RolloutStatus(phase="Stable", revision="b", stable="b") == world.status


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
    world.broken["b"] = Failure(Reason.MIGRATION_FAILED, "cannot connect", may_pass=True)
    world.want("b")
    assert "Canary" == world.settle().status.phase
    world.broken.clear()
    world.later(60)
    assert "step 1" == world.settle().stage
    world.broken["b"] = Failure(Reason.MIGRATION_FAILED, "no such column")
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
    world.broken["b"] = Failure(Reason.MIGRATION_FAILED, "cannot connect", may_pass=True)
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
    world.broken["b"] = Failure(Reason.IMAGE_PULL_FAILED, "ErrImagePull: no route", may_pass=True)
    world.want("b")
    world.settle()
    world.later(600)
    assert world.settle().status.failed is None
    world.later(1)
    failed = world.step().status.failed
    assert failed is not None
    assert Reason.PROGRESS_DEADLINE_EXCEEDED == failed.reason
    assert failed.message == (
        "The deadline of 600 s has passed. 0 of 1 pods are new, 0 of them ready."
        " ErrImagePull: no route"
    )


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


def test_scaled_to_none_a_canary_begins_again() -> None:
    """It has neither failed nor passed, however long that lasts and wherever it was."""
    for stage in ("step 1", "step 2", "promotion"):
        world = World()
        world.want("b")
        world.settle()
        while world.stage != stage:
            world.later(60)
            world.step(window("Passed"))
            if stage != world.stage:
                world.settle()
        world.pods = 0
        world.settle()
        world.later(7200)
        found = world.settle()
        assert ("Canary", 1, None) == (found.status.phase, found.status.step, found.status.failed)
        assert ("a", None, None) == (found.stable, found.canary, found.stage)
        world.pods = 4
        found = world.settle()
        assert ("a", "b", 1, "step 1", None) == (
            found.stable, found.canary, found.status.step, found.stage, found.status.analysis,
        )  # fmt: skip
        world.step(window("Passed"))
        assert 1 == world.settle().status.step  # its time counts anew, too


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


def baking(declared: Rollout = CANARY) -> World:
    """Return a world in which revision b has just replaced revision a."""
    world = World(declared)
    world.want("b")
    world.settle()
    while world.stage != "bake":
        world.later(60)
        world.step(window("Passed"))
        world.settle()
    return world


def test_what_fails_while_it_is_promoted_goes_back() -> None:
    """The canary goes, and the stable pods that were replaced are replaced back."""
    world = World(replace(CANARY, canary=replace(CANARY.canary, steps=CANARY.canary.steps[:1])))
    world.want("b")
    world.settle()
    world.later(60)
    assert "promotion" == world.step(window("Passed")).stage
    found = world.step(window("Failed", "9 of 100"))
    assert ("RolledBack", "a", None) == (found.status.phase, found.stable, found.canary)
    assert "AnalysisFailed" == (found.status.failed and found.status.failed.reason)


def test_what_fails_in_its_bake_goes_back() -> None:
    """As long as it bakes, the revision before it is kept to go back to."""
    world = baking()
    world.later(30)
    assert "Baking" == world.step(window("Passed")).status.phase
    world.later(30)
    found = world.step(window("Failed", "9 of 100"))
    assert ("RolledBack", "a") == (found.status.phase, found.stable)
    world.later(3600)
    assert ("RolledBack", "a") == (world.settle().status.phase, world.settle().stable)


def test_a_bake_has_one_window_at_least() -> None:
    """Whatever time it takes; what was measured before the bake does not count."""
    world = baking(replace(CANARY, bake="0s"))
    world.later(3600)
    assert "Baking" == world.settle().status.phase
    world.step(window("Passed"))
    assert RolloutStatus(phase="Stable", revision="b", stable="b") == world.settle().status


def test_without_requests_a_bake_ends_as_unjudged() -> None:
    """It says so, and goes on saying so; one window that passed is enough to be judged."""
    world = baking()
    world.later(30)
    assert "Baking" == world.step(window("Inconclusive", "3 of 100 requests")).status.phase
    world.later(30)
    world.step(window("Inconclusive", "6 of 100 requests"))
    for _ in range(2):
        status = world.settle().status
        assert ("Stable", "b") == (status.phase, status.stable)
        told = "It is serving, but its bake ended without a verdict: 6 of 100 requests"
        assert told == status.message
        world.later(3600)
    world = baking()
    world.later(30)
    world.step(window("Passed"))
    world.later(30)
    world.step(window("Inconclusive"))
    assert RolloutStatus(phase="Stable", revision="b", stable="b") == world.settle().status


def test_a_window_that_failed_is_not_the_last_of_a_bake() -> None:
    """Where one may fail, the next one decides."""
    analysis = replace(CANARY.canary.analysis, failure_limit=1)
    declared = replace(CANARY, canary=replace(CANARY.canary, analysis=analysis))
    for verdict, phase in (("Passed", "Stable"), ("Failed", "RolledBack")):
        world = baking(declared)
        world.later(60)
        assert "Baking" == world.step(window("Failed")).status.phase
        assert phase == world.step(window(verdict)).status.phase


def test_a_bake_that_fails_with_manual_rollback_halts() -> None:
    """It goes on serving until a person decides."""
    for word, serves in (("promote", "b"), ("abort", "a")):
        world = baking(replace(CANARY, rollback="Manual"))
        found = world.step(window("Failed"))
        assert ("Halted", "b") == (found.status.phase, found.stable)
        world.later(3600)
        assert "Halted" == world.settle().status.phase
        world.tell(**{word: "b"})
        assert serves == world.settle().status.stable


def test_declaring_the_revision_before_ends_a_bake() -> None:
    """At once, and without a canary; so does a person's word."""
    world = baking()
    world.want("a")
    found = world.step()
    assert ("a", None) == (found.stable, found.canary)
    assert "Stable" == world.settle().status.phase
    world = baking()
    world.tell(promote="b")
    assert RolloutStatus(phase="Stable", revision="b", stable="b") == world.step().status
    world = baking()
    world.tell(abort="b")
    assert ("RolledBack", "a") == (world.step().status.phase, world.status.stable)


def test_a_third_revision_is_compared_with_the_one_that_bakes() -> None:
    """That serves everywhere; but one with a window that failed is gone back from."""
    world = baking()
    world.want("c")
    found = world.step()
    assert ("b", "c", "b") == (found.stable, found.canary, found.status.stable)
    analysis = replace(CANARY.canary.analysis, failure_limit=1)
    world = baking(replace(CANARY, canary=replace(CANARY.canary, analysis=analysis)))
    world.step(window("Failed"))
    world.want("c")
    found = world.step()
    assert ("a", "c", "a") == (found.stable, found.canary, found.status.stable)


def test_a_bake_waits_for_pods() -> None:
    """Scaled to none, nothing is said of what served everywhere; its time counts anew."""
    world = baking()
    world.pods = 0
    world.settle()
    world.later(3600)
    found = world.settle()
    assert ("Baking", None, None) == (found.status.phase, found.stage, found.status.settled_at)
    world.pods = 4
    world.settle()
    assert "Baking" == world.step(window("Passed")).status.phase
    world.later(60)
    assert "Stable" == world.step(window("Passed")).status.phase


def test_an_autoscaler_does_not_begin_a_bake_anew() -> None:
    """A Deployment that was just scaled has not been looked at yet."""
    world = baking()
    before = world.status.settled_at
    world.pods = 6
    assert ("Baking", "bake", before) == (
        world.step().status.phase, world.stage, world.status.settled_at,
    )  # fmt: skip


def test_a_rolling_update_is_judged_where_that_is_declared() -> None:
    """While it is under way, and after it; else not at all."""
    world = World(ROLLING)
    world.want("b")
    assert None is world.step().stage
    assert "Stable" == world.settle().status.phase

    update = replace(ROLLING.rolling_update, analysis=Analysis(failure_limit=0))
    judged = replace(ROLLING, rolling_update=update)
    world = World(judged)
    world.want("b")
    found = world.step()
    assert ("Progressing", "promotion") == (found.status.phase, found.stage)
    found = world.step(window("Failed"))
    assert ("RolledBack", "a") == (found.status.phase, found.stable)

    world = baking(judged)
    assert ("Baking", "a") == (world.status.phase, world.status.stable)
    world.later(60)
    assert (
        RolloutStatus(phase="Stable", revision="b", stable="b")
        == world.step(window("Passed")).status
    )
