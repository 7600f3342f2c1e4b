"""`promote`, `abort`, `pause`, `resume`, `retry` and `restart`: annotations for the operator.

Each but `restart` names the revision, or the failure, that it is meant for, so that a late one
does not affect the next revision. A command that would have no effect is refused with a reason.
"""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, datetime
from typing import Final, Literal

from msgspec import Struct

from orders_operator.api.rollout import ABORT, PAUSE, PROMOTE, RESTART, RETRY
from orders_operator.api.spec import API_VERSION, PLURAL
from orders_operator.api.status import RolloutStatus
from orders_operator.client.errors import KubeError
from orders_operator.client.kube import MERGE_PATCH, Kube, path
from orders_operator.objects import Object
from orders_operator.plugin import Refused
from orders_operator.plugin.snapshot import service, services
from orders_operator.plugin.view import status_of
from orders_operator.rollout.situation import stamp

Command = Literal["promote", "abort", "pause", "resume", "retry", "restart"]
MANAGER: Final = "orders-plugin"
"""Not `kubectl-...`: Flux removes what field managers with that prefix have set."""
_ANNOTATIONS: Final[Mapping[Command, str]] = {
    "promote": PROMOTE,
    "abort": ABORT,
    "pause": PAUSE,
    "resume": PAUSE,
    "retry": RETRY,
    "restart": RESTART,
}
_ONE_AT_A_TIME: Final = (PROMOTE, ABORT, PAUSE, RETRY)
"""Only the latest of these is kept. A restart is none of them: it stays, as a part of the
declaration."""
_PHASES: Final[Mapping[Command, frozenset[str]]] = {
    "promote": frozenset({"Canary", "Paused", "Baking", "Halted"}),
    "abort": frozenset({"Canary", "Paused", "Promoting", "Baking", "Progressing", "Halted"}),
    "pause": frozenset({"Canary"}),
}
"""The phases in which a command has an effect."""
_ELSE: Final = {
    "Stable": "no rollout is under way",
    "Progressing": "a rolling update is under way, which has no steps",
    "Paused": "it is already paused",
    "Promoting": "it is already being promoted",
    "Baking": "it has replaced the stable revision; `promote` ends its bake, `abort` goes back",
    "RolledBack": "it was rolled back; use `retry` to try it again",
    "Halted": "it is halted; use `promote`, `abort` or `retry`",
}
"""Why a command has no effect, by the phase of the rollout."""
_FAILED: Final = frozenset({"RolledBack", "Halted"})
"""The phases in which the wanted revision has failed, so that a restart of it is a `retry`."""


class Order(Struct, frozen=True, rename="camel"):
    """A command: its annotation and value; None removes the annotation.

    `command` is what was done: `retry` if a restart of a failed revision was requested.
    """

    namespace: str
    name: str
    command: Command
    revision: str
    annotation: str
    value: str | None
    text: str


async def send(kube: Kube, namespace: str, name: str, command: Command) -> Order:
    """Send a command to the operator.

    Raises:
        Refused: the command would have no effect.
        KubeError: the API server refuses it, or cannot be reached.

    """
    order = decide(await service(kube, namespace, name), command, datetime.now(UTC))
    await tell(kube, order)
    return order


async def restart_all(kube: Kube, namespace: str) -> AsyncIterator[Order | Refused | KubeError]:
    """Yield the command that was sent to each OrderService, or the error; go on after errors.

    Raises:
        Refused: there is no OrderService.

    """
    resources = await services(kube, namespace)
    if not resources:
        raise Refused(f"there is no OrderService in namespace {namespace}")
    now = datetime.now(UTC)
    for resource in resources:
        try:
            order = decide(resource, "restart", now)
            await tell(kube, order)
        except (Refused, KubeError) as error:
            yield error
        else:
            yield order


async def tell(kube: Kube, order: Order) -> None:
    """Set or remove the annotation of a command."""
    await kube.request(
        "PATCH",
        path(API_VERSION, PLURAL, order.namespace, order.name),
        {"fieldManager": MANAGER},
        patch(order),
        content_type=MERGE_PATCH,
    )


def patch(order: Order) -> Object:
    """Return the merge patch: one annotation is set, the others go; `resume` removes one."""
    others = {} if order.value is None else dict.fromkeys(_ONE_AT_A_TIME)
    return {"metadata": {"annotations": {**others, order.annotation: order.value}}}


def decide(resource: Object, command: Command, now: datetime) -> Order:
    """Return the command to send to the operator.

    Raises:
        Refused: the command would have no effect.

    """
    metadata = resource["metadata"]
    namespace, name = metadata["namespace"], metadata["name"]
    rollout = status_of(resource).rollout
    if rollout is None or rollout.revision is None:
        raise Refused(f"{name}: the operator has not reported a rollout yet")
    held = (metadata.get("annotations") or {}).get(PAUSE) == rollout.revision
    why = _idle(rollout, command, held=held)
    if why is not None:
        raise Refused(f"{name}: cannot {command}: {why}")
    if command == "restart" and rollout.phase in _FAILED and rollout.failed is not None:
        command, note = "retry", " It had failed, so this retries it instead of restarting it."
    else:
        note = ""
    value, text = _words(rollout, command, now)
    if resource["spec"].get("paused"):
        note += " Nothing happens while spec.paused is true."
    return Order(
        namespace=namespace,
        name=name,
        command=command,
        revision=rollout.revision,
        annotation=_ANNOTATIONS[command],
        value=value,
        text=f"{name}: {text}{note}",
    )


def _idle(rollout: RolloutStatus, command: Command, *, held: bool) -> str | None:
    """Return why a command would have no effect; None if it has one."""
    if command == "restart":
        return None
    if command == "resume":
        return None if held else "it is not paused"
    if command == "retry":
        return None if rollout.failed is not None else "nothing has failed"
    if command == "pause" and held:
        return _ELSE["Paused"]
    if rollout.phase not in _PHASES.get(command, ()):
        return _ELSE[rollout.phase]
    alone = rollout.stable in {None, rollout.revision}
    return "there is no other revision to go back to" if command == "abort" and alone else None


def _words(rollout: RolloutStatus, command: Command, now: datetime) -> tuple[str | None, str]:
    """Return the value of the annotation, and the sentence that says what it does."""
    revision = str(rollout.revision)
    match command:
        case "promote":
            return revision, f"{revision} will replace {rollout.stable}, regardless of its steps."
        case "abort":
            return revision, f"{revision} is given up; its pods go back to {rollout.stable}."
        case "pause":
            return revision, f"{revision} stays at step {rollout.step} of {rollout.steps}."
        case "resume":
            return None, f"{revision} continues."
        case "retry":
            failed = rollout.failed
            assert failed is not None  # noqa: S101  refused without a failure
            return f"{failed.revision}@{failed.at}", f"{failed.revision} will be tried again."
        case "restart":
            return stamp(now), f"a new revision of the same spec will replace {revision}."
