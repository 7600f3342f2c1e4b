"""`kubectl orders load`: creates and reads orders at a rate, and shows how long they take.

Requests go through the API server's proxy of the Service, by a second `kubectl proxy` that listens
on this machine's loopback and lets nothing else through. So any kubeconfig works, and each request
goes to a random pod: canary pods get their share, and the end of a pod does not end the
connection, as it would with a port-forward. The latencies include the cost of this path; `--url`
goes straight to the API.
"""

import asyncio
import contextlib
import re
import signal
import sys
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from typing import Final

from msgspec import json
from rich.live import Live

from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.client.kube import Kube, path
from orders_operator.load.engine import Load
from orders_operator.load.settings import LoadSettings
from orders_operator.plugin import Refused
from orders_operator.plugin.kubectl_proxy import Access, kubectl_proxy
from orders_operator.plugin.load_screen import load_screen
from orders_operator.plugin.snapshot import service
from orders_operator.plugin.terminal import console, show
from orders_operator.resources.schemes import HTTP, HTTPS

SECONDS: Final = 0.5
"""The seconds between two screens."""


async def load(settings: LoadSettings, what: str, *, as_json: bool) -> None:
    """Make a load and show it; Ctrl-C ends it early, and what is known by then is shown."""
    made = Load(settings)
    asyncio.get_running_loop().add_signal_handler(signal.SIGINT, made.stop)
    async with asyncio.TaskGroup() as tasks:
        running = tasks.create_task(made.run())
        if not as_json and console().is_terminal:
            await _live(made, running, what, settings.duration)
    if as_json:
        sys.stdout.write(json.format(json.encode(made.report()), indent=2).decode() + "\n")
    elif not console().is_terminal:
        show(load_screen(made.report(), what, settings.duration, datetime.now(UTC)))


@contextlib.asynccontextmanager
async def way(kube: Kube, access: Access, namespace: str, name: str) -> AsyncIterator[str]:
    """Yield a URL on this machine that leads to an OrderService.

    Raises:
        Refused: there is no such OrderService.
        KubeError: its Service has no pods, or may not be called through the API server.

    """
    await service(kube, namespace, name)
    place = path("v1", "services", namespace, await proxied(kube, namespace, name), "proxy")
    async for _ in kube.lines(f"{place}/livez", {}):
        pass
    allowed = f"--accept-paths=^{re.escape(place)}/"
    async with kubectl_proxy(access, "--port=0", allowed, alone=True) as said:
        port = re.search(r":(\d+)$", said)
        if port is None:
            raise Refused(f"kubectl proxy did not report where it listens: {said}")
        yield f"http://127.0.0.1:{port[1]}{place}"


async def proxied(kube: Kube, namespace: str, name: str) -> str:
    """Return a Service's name for the API server's proxy, with the port of HTTP if it has both."""
    try:
        service = await kube.get("v1", "services", namespace, name) or {}
    except KubeError as error:
        if error.reason is not ErrorReason.FORBIDDEN:
            raise
        service = {}  # a user who may not read it may still call it
    names = {port.get("name") for port in (service.get("spec") or {}).get("ports") or []}
    over_tls = HTTPS in names and HTTP not in names
    return f"{HTTPS}:{name}:{HTTPS}" if over_tls else f"{name}:{HTTP}"


async def _live(
    made: Load, running: "asyncio.Task[None]", what: str, duration: float | None
) -> None:
    with Live(console=console(), auto_refresh=False) as live:
        done = False
        while not done:
            done = bool((await asyncio.wait({running}, timeout=SECONDS))[0])
            drawn = load_screen(made.report(), what, duration, datetime.now(UTC))
            live.update(drawn, refresh=True)
