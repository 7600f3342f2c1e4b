"""`kubectl orders status`: one screen, or one each second until Ctrl-C.

It reads everything again each second; a watch would not be faster, and would need four connections
that have to be kept alive.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Final

from msgspec import json
from rich.console import Group, RenderableType
from rich.live import Live
from rich.text import Text

from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.client.kube import Kube
from orders_operator.plugin.screen import overview, screen
from orders_operator.plugin.snapshot import ServiceSnapshot, read_snapshot, services
from orders_operator.plugin.terminal import console, show
from orders_operator.plugin.view import ServiceView, view
from orders_operator.tasks import together

SECONDS: Final = 1.0
"""The seconds between two snapshots."""

Views = ServiceView | list[ServiceView]
"""One OrderService, if it was named or is the only one; else all of the namespace."""


async def status(
    kube: Kube, namespace: str, name: str | None, *, watch: bool, as_json: bool
) -> int:
    """Show an OrderService, or the list of those in the namespace; return the exit status."""
    if as_json:
        return await _documents(lambda: document(kube, namespace, name), watch=watch)
    if watch and console().is_terminal:
        return await live(lambda: read(kube, namespace, name), namespace)
    found = await read(kube, namespace, name)
    if found == []:
        sys.stderr.write(f"There is no OrderService in namespace {namespace}.\n")
    else:
        show(draw(found, datetime.now(UTC)))
    return 0


async def read(kube: Kube, namespace: str, name: str | None) -> Views:
    """Return the view of the named or only OrderService, or those of all."""
    if name is not None:
        return view(await read_snapshot(kube, namespace, name))
    found = await services(kube, namespace)
    if len(found) == 1:
        return view(await read_snapshot(kube, namespace, found[0]["metadata"]["name"]))
    return [view(ServiceSnapshot(resource)) for resource in found]


def draw(views: Views, now: datetime) -> RenderableType:
    """Return the screen for one view, or for a list of views."""
    return screen(views, now) if isinstance(views, ServiceView) else overview(views)


async def document(kube: Kube, namespace: str, name: str | None) -> bytes:
    """Return views as JSON; without a name they are `items`, however many there are."""
    if name is not None:
        return json.encode(view(await read_snapshot(kube, namespace, name)))
    names = [service["metadata"]["name"] for service in await services(kube, namespace)]
    snapshots = await together(*(read_snapshot(kube, namespace, name) for name in names))
    return json.encode({"items": [view(snapshot) for snapshot in snapshots]})


async def _documents(read: Callable[[], Awaitable[bytes]], *, watch: bool) -> int:
    """Print JSON: one indented document, or with `watch` a line for each change."""
    before = b""
    while True:
        found = await read()
        if not watch:
            sys.stdout.write(json.format(found, indent=2).decode() + "\n")
            return 0
        if found != before:
            sys.stdout.write(found.decode() + "\n")
            sys.stdout.flush()
        before = found
        await asyncio.sleep(SECONDS)


async def live(read: Callable[[], Awaitable[Views]], namespace: str) -> int:
    """Draw once a second; the last screen stays while the API server cannot be reached."""
    seen: RenderableType = Text(f"reading namespace {namespace}")
    with Live(seen, console=console(), auto_refresh=False) as live:
        while True:
            started = time.monotonic()
            try:
                seen = drawn = draw(await read(), datetime.now(UTC))
            except KubeError as error:
                if error.reason is not ErrorReason.UNAVAILABLE:
                    raise
                drawn = Group(seen, "", Text(f"Showing the last state: {error.message}", "red"))
            live.update(drawn, refresh=True)
            await asyncio.sleep(max(0.0, SECONDS - (time.monotonic() - started)))
