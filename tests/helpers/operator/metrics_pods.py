"""Pods for the analysis: the service's own metrics, served where a pod serves them."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from orders.telemetry.metrics import Metrics


class Pod:
    """A pod on a port of this machine."""

    def __init__(self, number: int) -> None:
        self.metrics = Metrics()
        self.status = 200
        self.body: bytes | None = None
        """What it answers instead of its metrics."""
        self.elsewhere: str | None = None
        """Where it sends whoever asks."""
        self.shown: str | None = None
        """The API key of the last scrape."""
        self.takes: set[str] | None = None
        """The API keys that it asks for one of; None for no question."""
        self.ports: list[dict[str, Any]] = []
        self.object: dict[str, Any] = {
            "metadata": {"name": f"shop-{number}", "uid": f"uid-{number}"},
            "spec": {"containers": [{"name": "orders", "ports": self.ports}]},
            "status": {"podIP": "127.0.0.1"},
        }

    def close(self, *keys: str) -> None:
        """Show its metrics with one of these API keys alone, as a pod of `monitoring.auth`."""
        self.takes = set(keys)
        secret = {"secretName": "shop-metrics", "items": [{"key": "keys", "path": "keys"}]}
        self.object["spec"]["volumes"] = [{"name": "metrics-keys", "secret": secret}]

    def serve(self, requests: int, errors: int = 0, seconds: float = 0.05) -> None:
        """Count requests that were served, the first ones with 500."""
        for number in range(requests):
            status = 500 if number < errors else 201
            self.metrics.request("POST", "/orders", status, None, seconds, None)

    def restart(self) -> None:
        """Begin to count anew."""
        self.metrics.close()
        self.metrics = Metrics()

    async def answer(self, request: web.Request) -> web.Response:
        """Answer a scrape."""
        if self.elsewhere is not None:
            raise web.HTTPFound(self.elsewhere)
        self.shown = request.headers.get("X-Api-Key")
        if self.takes is not None and self.shown not in self.takes:
            raise web.HTTPUnauthorized
        kind, body = self.metrics.expose(request.headers["Accept"])
        body = body if self.body is None else self.body
        return web.Response(status=self.status, body=body, headers={"Content-Type": kind})


@asynccontextmanager
async def pods(number: int) -> AsyncIterator[list[Pod]]:
    """Run pods."""
    made, runners = [Pod(it + 1) for it in range(number)], []
    try:
        for pod in made:
            app = web.Application()
            app.router.add_get("/metrics", pod.answer)
            runner = web.AppRunner(app)
            runners.append(runner)
            await runner.setup()
            await web.TCPSite(runner, "127.0.0.1", 0).start()
            [(_, port)] = runner.addresses
            pod.ports.append({"name": "metrics", "containerPort": port})
        yield made
    finally:
        for runner in runners:
            await runner.cleanup()
        for pod in made:
            pod.metrics.close()
