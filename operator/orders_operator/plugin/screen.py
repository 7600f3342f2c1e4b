"""The screens of `kubectl orders status`, drawn from a view. Pure.

Colours only repeat what the words say, so that a screen reads the same without them.
"""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from orders_operator.api.conditions import ConditionType
from orders_operator.api.fields import seconds
from orders_operator.api.status import RolloutStatus
from orders_operator.plugin.comparison import comparison
from orders_operator.plugin.format import several, since, span
from orders_operator.plugin.layout import grid, one_line
from orders_operator.plugin.revisions import revisions
from orders_operator.plugin.view import ServiceView
from orders_operator.rollout.situation import moment

EVENTS: Final = 5
"""How many of the last Events are shown."""
STYLES: Final = {
    "Stable": "green",
    "Progressing": "cyan",
    "Canary": "cyan",
    "Promoting": "cyan",
    "Baking": "cyan",
    "Paused": "yellow",
    "RolledBack": "red",
    "Halted": "red",
}
_NEXT: Final = {
    "Paused": ("resume",),
    "Halted": ("promote", "abort", "retry"),
    "RolledBack": ("retry",),
}
"""The commands that a person may give next, by the phase."""


def screen(view: ServiceView, now: datetime) -> RenderableType:
    """Draw an OrderService."""
    parts = [Group(*_head(view, now)), revisions(view, now)]
    if view.rollout is not None and view.rollout.analysis is not None:
        parts.append(comparison(view.rollout.analysis, view.declared, now))
    if view.events:
        parts.append(_events(view, now))
    spaced: list[RenderableType] = [parts[0]]
    for part in parts[1:]:
        spaced += ["", part]
    return Group(*spaced)


def overview(views: Sequence[ServiceView]) -> RenderableType:
    """Draw a line for each of several OrderServices."""
    names = ("NAME", "PHASE", "STEP", "READY", "VERSION", "SCHEMA", "STALLED")
    table = grid(*names, right=("READY", "SCHEMA"))
    for view in views:
        status, rollout = view.status, view.rollout
        table.add_row(
            Text(view.name, "bold"),
            _phase(rollout),
            "-" if rollout is None else _step(rollout) or "-",
            f"{status.ready_replicas or 0}/{status.replicas or 0}",
            status.version or "-",
            "-" if status.schema_version is None else str(status.schema_version),
            Text(view.stalled.reason, "red") if view.stalled is not None else "-",
        )
    return table


def _phase(rollout: RolloutStatus | None) -> Text:
    phase = "unknown" if rollout is None else rollout.phase
    return Text(phase, STYLES.get(phase, "dim"))


def _step(rollout: RolloutStatus) -> str:
    """Return the step that a rollout is at; empty without steps."""
    if rollout.step is None or rollout.steps is None:
        return ""
    return f"{rollout.step} of {rollout.steps}"


def _head(view: ServiceView, now: datetime) -> Iterator[RenderableType]:
    rollout = view.rollout
    title = Text.assemble((f"{view.namespace}/{view.name}", "bold"), "  ", _phase(rollout))
    if rollout is not None:
        if rollout.step is not None:
            title.append(f"  step {_step(rollout)}")
        if rollout.weight is not None:
            title.append(f"  {rollout.weight} % of requests")
    yield title
    yield Text("   ".join(_facts(view)))
    if rollout is not None and rollout.step is not None:
        yield from _way(view, rollout, now)
    if view.paused:
        yield Text("spec.paused is true: the operator leaves everything as it is.", "yellow")
    yield from _message(view, now)
    if rollout is not None and rollout.phase in _NEXT:
        first, *others = _NEXT[rollout.phase]
        where = f"{view.name} -n {view.namespace}"
        yield Text(", or ".join((f"Next: kubectl orders {first} {where}", *others)), "dim")
    yield from _retained(view)


def _facts(view: ServiceView) -> Iterator[str]:
    status = view.status
    if status.version is not None:
        yield f"version {status.version}"
    if status.schema_version is not None:
        yield f"schema {status.schema_version}"
    yield f"{status.ready_replicas or 0} of {several(status.replicas or 0, 'pod')} ready"
    if status.url is not None:
        yield status.url


def _way(view: ServiceView, rollout: RolloutStatus, now: datetime) -> Iterator[RenderableType]:
    """Draw the steps, and the progress of the current one."""
    steps = () if view.declared is None else view.declared.canary.steps
    if rollout.step is None or len(steps) != rollout.steps:  # they have been declared anew
        return
    way = Text("steps")
    for number, step in enumerate(steps, start=1):
        mark, style = _mark(number, rollout.step)
        way.append(f" {mark} {step.weight} % ", style)
    way.append(" · all", "dim")
    settled = moment(rollout.settled_at)
    if settled is None:
        way.append("   waiting for its pods")
    else:
        passed = (now - settled).total_seconds()
        way.append(f"   {span(passed)} of {steps[rollout.step - 1].duration}")
        if passed >= seconds(steps[rollout.step - 1].duration):
            way.append(", held by the analysis" if rollout.phase == "Canary" else "")
    yield way


def _mark(number: int, current: int) -> tuple[str, str]:
    if number < current:
        return "✓", "green"
    return ("▶", "bold cyan") if number == current else ("·", "dim")


def _message(view: ServiceView, now: datetime) -> Iterator[RenderableType]:
    """Draw what is wrong, or else what is under way."""
    degraded = view.condition(ConditionType.DEGRADED)
    told = None if view.rollout is None else view.rollout.message
    if degraded is not None and degraded.status == "True":
        ago = since(moment(degraded.last_transition_time), now)
        yield Text.assemble(
            (f"Degraded, {degraded.reason}, for {ago}: ", "bold red"), degraded.message
        )
        if told is not None and (told in degraded.message or degraded.message in told):
            told = None
        if view.stalled is not None:
            yield Text("Stalled: waiting will not resolve this.", "red")
    elif told is None:
        ready = view.condition(ConditionType.READY)
        told = None if ready is None or ready.status == "True" else ready.message
    if told:
        yield Text(told)


def _retained(view: ServiceView) -> Iterator[RenderableType]:
    """Draw where the orders of a database are that the spec no longer has.

    The command has a line of its own, so that it can be copied whole.
    """
    claim = view.status.retained_claim
    if claim is not None:
        yield Text(
            f"The orders of the embedded database are kept in claim {claim.name}, unless somebody"
            f" has deleted it. This command deletes them permanently:\n{claim.delete_with}"
        )


def _events(view: ServiceView, now: datetime) -> Table:
    table = grid("AGE", "", "EVENT", "MESSAGE", right=("AGE",))
    for event in view.events[-EVENTS:]:
        bad = event.type == "Warning"
        table.add_row(
            since(event.at, now),
            Text("!" if bad else " ", "red"),
            Text(event.reason, "red" if bad else ""),
            one_line(event.message),
        )
    return table
