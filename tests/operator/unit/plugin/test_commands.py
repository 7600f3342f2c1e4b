"""What a person may say to a rollout, and when."""

from typing import get_args

import pytest

from orders_operator.objects import Object
from orders_operator.plugin import Refused
from orders_operator.plugin.commands import MANAGER, Command, Order, decide, patch
from tests.helpers.operator.cluster_objects import NEW, NOW, OLD, ago, service
from tests.helpers.operator.rollout_scenes import (
    Scene,
    first_step,
    halted,
    paused,
    rolled_back,
    rolling,
    stable,
    unlabelled,
)


def resource(scene: Scene, **annotations: str) -> Object:
    """Return the OrderService of a scene with annotations of ours."""
    found = scene().resource
    found["metadata"]["annotations"] = {f"orders.dev/{k}": v for k, v in annotations.items()}
    return found


def decided(scene: Scene, command: Command, **annotations: str) -> Order:
    """Return what a command does in a scene."""
    return decide(resource(scene, **annotations), command, NOW)


@pytest.mark.parametrize(
    ("scene", "command"),
    [
        (first_step, "promote"),
        (first_step, "abort"),
        (first_step, "pause"),
        (paused, "promote"),
        (paused, "abort"),
        (halted, "promote"),
        (halted, "abort"),
        (rolling, "abort"),
    ],
)
def test_a_command_names_the_revision(scene: Scene, command: Command) -> None:
    """So it says nothing to a later one; the other commands are taken back with it."""
    order = decided(scene, command)

    others = {f"orders.dev/{it}": None for it in ("promote", "abort", "pause", "retry")}
    expected = {"metadata": {"annotations": others | {f"orders.dev/{command}": NEW}}}
    assert expected == patch(order)
    assert NEW in order.text


def test_retry_names_the_failure() -> None:
    """The same revision may fail again, and then has to be told again."""
    for scene in (rolled_back, halted):
        order = decided(scene, "retry")

        assert f"{NEW}@{ago(seconds=12)}" == order.value
        assert None is patch(order)["metadata"]["annotations"]["orders.dev/abort"]


@pytest.mark.parametrize("scene", [stable, first_step, paused, rolling])
def test_restart_names_the_time(scene: Scene) -> None:
    """Each time makes a revision, whatever goes on; what was told to the one before is over."""
    order = decided(scene, "restart")

    others = {f"orders.dev/{it}": None for it in ("promote", "abort", "pause", "retry")}
    restarted = {"orders.dev/restart": "2026-03-04T12:00:00Z"}
    assert {"metadata": {"annotations": others | restarted}} == patch(order)
    assert f"orders: a new revision of the same spec will replace {order.revision}." == order.text


@pytest.mark.parametrize("scene", [rolled_back, halted])
def test_the_restart_of_what_has_failed_is_a_retry(scene: Scene) -> None:
    """It does what `retry` does, and says so."""
    restart, retry = decided(scene, "restart"), decided(scene, "retry")

    assert patch(retry) == patch(restart)
    assert "retry" == restart.command
    assert (
        f"{retry.text} It had failed, so this retries it instead of restarting it." == restart.text
    )


@pytest.mark.parametrize("command", ["promote", "abort", "pause", "resume"])
def test_a_restart_stays_when_something_else_is_told(command: Command) -> None:
    """It is a part of what is declared, and no word to one revision."""
    scene = paused if command == "resume" else first_step
    annotations = {"pause": NEW} if command == "resume" else {}

    told = patch(decided(scene, command, **annotations))["metadata"]["annotations"]
    assert "orders.dev/restart" not in told


def test_resume_takes_the_pause_away_and_nothing_else() -> None:
    """A promotion that was told in between stays."""
    order = decided(paused, "resume", pause=NEW)

    assert {"metadata": {"annotations": {"orders.dev/pause": None}}} == patch(order)


@pytest.mark.parametrize(
    ("scene", "command", "why"),
    [
        (stable, "promote", "no rollout is under way"),
        (stable, "abort", "no rollout is under way"),
        (stable, "pause", "no rollout is under way"),
        (stable, "resume", "it is not paused"),
        (stable, "retry", "nothing has failed"),
        (first_step, "resume", "it is not paused"),
        (first_step, "retry", "nothing has failed"),
        (rolling, "promote", "a rolling update is under way, which has no steps"),
        (rolling, "pause", "a rolling update is under way, which has no steps"),
        (rolled_back, "promote", "it was rolled back; use `retry` to try it again"),
        (rolled_back, "abort", "it was rolled back; use `retry` to try it again"),
        (halted, "pause", "it is halted; use `promote`, `abort` or `retry`"),
    ],
)
def test_what_has_no_effect_is_refused(scene: Scene, command: Command, why: str) -> None:
    """One line says why."""
    with pytest.raises(Refused) as caught:
        decided(scene, command)
    assert f"orders: cannot {command}: {why}" == str(caught.value)


def test_a_pause_is_told_once() -> None:
    """The annotation counts, though the operator may not have seen it yet."""
    with pytest.raises(Refused, match="it is already paused"):
        decided(first_step, "pause", pause=NEW)


def test_an_earlier_pause_is_none() -> None:
    """It named another revision, so this one was never paused."""
    assert "pause" == decided(first_step, "pause", pause=OLD).command
    with pytest.raises(Refused, match="it is not paused"):
        decided(first_step, "resume", pause=OLD)


def test_the_first_revision_cannot_be_aborted() -> None:
    """There is none before it."""
    first = service({"phase": "Progressing", "revision": NEW})

    with pytest.raises(Refused, match="there is no other revision to go back to"):
        decide(first, "abort", NOW)


@pytest.mark.parametrize("command", get_args(Command))
def test_nothing_is_said_before_the_operator_has_spoken(command: Command) -> None:
    """There is no revision to name."""
    with pytest.raises(Refused, match="has not reported a rollout"):
        decided(unlabelled, command)


@pytest.mark.parametrize(
    ("scene", "command"), [(first_step, "promote"), (stable, "restart"), (halted, "restart")]
)
def test_a_paused_resource_is_told_of(scene: Scene, command: Command) -> None:
    """The annotation is set, and waits as everything else does."""
    found = resource(scene)
    found["spec"]["paused"] = True

    text = decide(found, command, NOW).text
    assert text.endswith(" Nothing happens while spec.paused is true.")


def test_what_was_said_is_not_taken_back_by_flux() -> None:
    """Flux removes what field managers have set whose names begin with `kubectl`."""
    assert not MANAGER.startswith("kubectl")
