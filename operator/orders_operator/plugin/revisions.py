"""The revisions with their pods below them. Pure."""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from rich.console import Group, RenderableType
from rich.text import Text

from orders_operator.plugin.format import image_name, several, short_image, short_pod, since
from orders_operator.plugin.layout import Responsive, grid, one_line
from orders_operator.plugin.pods import Pod
from orders_operator.plugin.view import RevisionView, ServiceView

OLD: Final = 2
"""How many revisions without pods or a role in the rollout are shown."""
_MANY: Final = 3
"""The number of restarts from which they count as a pattern."""
_ROLES: Final = {"stable": "green", "canary": "cyan", "new": "cyan", "failed": "red"}


def revisions(view: ServiceView, now: datetime) -> RenderableType:
    """Draw each revision with its pods, the newest first; then the pods of unknown revisions."""
    return Responsive(_drawn(view, now, short=False), _drawn(view, now, short=True))


def _drawn(view: ServiceView, now: datetime, *, short: bool) -> RenderableType:
    table = grid(
        "REVISION, POD", "STATE", "RESTARTS", "AGE", "IMAGE, NODE", right=("RESTARTS", "AGE")
    )
    shown, hidden = _shown(view)
    for revision in shown:
        pods = [pod for pod in view.pods if pod.revision == revision.revision]
        style = next((_ROLES[role] for role in revision.roles), "dim")
        table.add_row(
            Text(" ".join((revision.revision, f"#{revision.number}", *revision.roles)), style),
            _ready(pods),
            "",
            since(revision.created_at, now),
            one_line(short_image(revision.image) if short else image_name(revision.image)),
        )
        for pod in pods:
            table.add_row(*_cells(pod, short_pod(pod.name, view.name) if short else pod.name, now))
    known = {revision.revision for revision in view.revisions}
    others = [pod for pod in view.pods if pod.revision not in known]
    if others and shown:
        table.add_row(Text("other pods", "dim"), _ready(others))
    for pod in others:
        table.add_row(*_cells(pod, short_pod(pod.name, view.name) if short else pod.name, now))
    if not hidden:
        return table
    return Group(table, Text(f"and {several(hidden, 'older revision')}", "dim"))


def _shown(view: ServiceView) -> tuple[list[RevisionView], int]:
    """Return the revisions to draw, and how many are left out."""
    busy = {pod.revision for pod in view.pods}
    old = [
        revision
        for revision in view.revisions
        if not revision.roles and revision.revision not in busy
    ]
    dropped = {revision.revision for revision in old[OLD:]}
    return [revision for revision in view.revisions if revision.revision not in dropped], len(
        dropped
    )


def _ready(pods: Sequence[Pod]) -> str:
    return f"{sum(pod.ready for pod in pods)} of {len(pods)} ready" if pods else "no pods"


def _cells(pod: Pod, name: str, now: datetime) -> tuple[RenderableType, ...]:
    return (
        f"  {name}",
        Text(pod.state, "green" if pod.ready else "yellow"),
        Text(str(pod.restarts), "red" if pod.restarts >= _MANY else ""),
        since(pod.created_at, now),
        one_line(pod.node or "-"),
    )
