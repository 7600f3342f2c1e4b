"""What the pods of both tracks have answered, served where pods serve it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from aiohttp import web

from orders.telemetry.metrics import Metrics
from orders_operator.objects import Object
from orders_operator.resources.service import METRICS_PORT
from tests.helpers.apiserver.fake_kubelet import Kubelet, own_container

UNREADY: Final = "[-]database failed: no answer; the log says why\n[+]draining ok\n"


class Traffic:
    """The requests of every pod: with each look at its metrics there are some more."""

    def __init__(self) -> None:
        """Have all pods answer a hundred requests well until the next look."""
        self.requests = 100
        self.failing: set[str] = set()
        """Images that answer each tenth request with 500."""
        self.away: set[str] = set()
        """Images whose pods do not show their metrics."""
        self.keys: dict[str, str] = {}
        """API keys, by the image whose pods show their metrics with one alone."""
        self.unready: set[str] = set()
        """Images whose readiness fails for want of a database."""
        self._runners: list[web.AppRunner] = []
        self._metrics: list[Metrics] = []

    async def serve(self, pod: Object, address: str) -> None:
        """Serve the metrics of a pod at its address."""
        image = own_container(pod)["image"]
        metrics = Metrics()
        self._metrics.append(metrics)

        async def answer(request: web.Request) -> web.Response:
            if image in self.away:
                return web.Response(status=503)
            if image in self.keys and request.headers.get("X-Api-Key") != self.keys[image]:
                return web.Response(status=401)
            for number in range(self.requests):
                status = 500 if image in self.failing and number % 10 == 0 else 201
                metrics.request("POST", "/orders", status, None, 0.05, None)
            kind, body = metrics.expose(request.headers["Accept"])
            return web.Response(body=body, headers={"Content-Type": kind})

        async def ready(_: web.Request) -> web.Response:
            if image in self.unready:
                return web.Response(status=503, text=UNREADY)
            return web.Response(text="ok")

        app = web.Application()
        app.router.add_get("/readyz", ready)
        app.router.add_get("/metrics", answer)
        runner = web.AppRunner(app)
        self._runners.append(runner)
        await runner.setup()
        await web.TCPSite(runner, address, METRICS_PORT).start()

    async def close(self) -> None:
        """Serve no more."""
        for runner in self._runners:
            await runner.cleanup()
        for metrics in self._metrics:
            metrics.close()


@asynccontextmanager
async def traffic(kubelet: Kubelet) -> AsyncIterator[Traffic]:
    """Have every pod that comes from now on serve its metrics."""
    made = Traffic()
    kubelet.on_address = made.serve
    try:
        yield made
    finally:
        kubelet.on_address = None
        await made.close()
