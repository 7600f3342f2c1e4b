"""What a person tells a rollout, and what waits for a person, told as stories."""

from msgspec.structs import replace

from orders_operator.api.conditions import Reason
from tests.helpers.operator.fake_cluster import CANARY, CRASHING, ROLLING, World, window


def test_a_command_is_for_its_revision_alone() -> None:
    """One that was left behind says nothing to the next."""
    world = World()
    for word in ("promote", "abort", "pause"):
        world.tell(**{word: "z"})
        world.want("b")
        assert "Canary" == world.settle().status.phase
        world.want("a")
        world.settle()


def test_promote_skips_the_steps() -> None:
    """What a person says counts more than what was measured."""
    world = World()
    world.want("b")
    world.settle()
    world.tell(promote="b")
    assert "b" == world.step().stable
    assert "Stable" == world.settle().status.phase


def test_pause_holds_the_step() -> None:
    """It is still measured, and may still fail."""
    world = World()
    world.want("b")
    world.settle()
    world.tell(pause="b")
    world.later(3600)
    found = world.step(window("Passed"))
    assert ("Paused", 1, "step 1") == (found.status.phase, found.status.step, found.stage)
    world.tell()
    assert 2 == world.step().status.step
    world.tell(pause="b")
    assert "RolledBack" == world.step(window("Failed")).status.phase


def test_abort_goes_back_and_retry_tries_again() -> None:
    """Retry answers one failure: the next one stays."""
    world = World()
    world.want("b")
    world.settle()
    world.tell(abort="b")
    failed = world.step().status.failed
    assert failed is not None
    assert Reason.ABORTED == failed.reason

    world.tell(retry=f"b@{failed.at}")
    world.later(10)
    assert "Canary" == world.settle().status.phase
    world.step(window("Failed"))
    assert "RolledBack" == world.settle().status.phase


def test_manual_rollback_halts() -> None:
    """Nothing moves, in neither direction, until a person decides."""
    world = World(replace(CANARY, rollback="Manual"))
    world.want("b")
    world.settle()
    found = world.step(window("Failed"))
    assert ("Halted", "a", "b", 1) == (
        found.status.phase, found.stable, found.canary, found.canary_pods,
    )  # fmt: skip
    world.later(3600)
    assert "Halted" == world.settle().status.phase
    world.tell(promote="b")
    world.settle()
    assert "b" == world.status.stable


def test_a_promotion_that_fails_with_manual_rollback_stays_where_it_is() -> None:
    """The stable pods that were replaced are not replaced back."""
    world = World(replace(CANARY, rollback="Manual"))
    world.want("b")
    world.settle()
    world.tell(promote="b")
    world.step()
    world.broken["b"] = CRASHING
    world.act()
    world.tell()
    for _ in range(3):
        found = world.step()
        assert ("Halted", "b") == (found.status.phase, found.stable)
    world.broken.clear()
    world.act()
    assert "Halted" == world.settle().status.phase
    failed = world.status.failed
    assert failed is not None
    world.tell(retry=f"b@{failed.at}")
    world.settle()
    assert "b" in {world.status.stable, world.status.canary}


def test_a_rollback_stays_whatever_is_declared_of_rollbacks_later() -> None:
    """Manual is about what fails from now on."""
    for declared in (CANARY, ROLLING):
        world = World(declared)
        world.broken["b"] = CRASHING
        world.want("b")
        world.settle()
        world.broken.clear()
        world.declared = replace(declared, rollback="Manual")
        found = world.settle()
        assert ("RolledBack", "a", None) == (found.status.phase, found.stable, found.canary)


def test_retry_begins_with_nothing_measured() -> None:
    """What failed before does not count again."""
    world = World()
    world.want("b")
    world.settle()
    failed = world.step(window("Failed")).status.failed
    assert failed is not None
    world.later(5)
    world.tell(retry=f"b@{failed.at}")
    found = world.settle()
    assert ("Canary", 1, None) == (found.status.phase, found.status.step, found.status.analysis)
    world.step(window("Passed"))
    assert "Canary" == world.settle().status.phase
