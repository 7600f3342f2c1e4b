"""The port of metrics and probes, which every replica has, leader or not."""

import socket
from collections.abc import Callable
from typing import Final

from aiohttp import web

from orders_operator.telemetry.metrics import Metrics

_SHUTDOWN_SECONDS: Final = 1.0
_BACKLOG: Final = 128


class Port:
    """Answers /metrics, /livez and /readyz."""

    def __init__(
        self,
        metrics: Metrics,
        failure: Callable[[], str | None],
        unready: Callable[[], str | None],
    ) -> None:
        """Keep what the port answers with.

        Args:
            metrics: what /metrics shows.
            failure: returns why this process should be restarted; None if it should not.
            unready: returns why it cannot work yet; None if it can.

        """
        self._metrics = metrics
        self._failure = failure
        self._unready = unready
        app = web.Application()
        app.add_routes(
            [
                web.get("/metrics", self._expose),
                web.get("/livez", self._livez),
                web.get("/readyz", self._readyz),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)

    async def open(self, port: int) -> int:
        """Listen on every address; return the port, which the system chooses if 0 was given."""
        await self._runner.setup()
        await web.SockSite(self._runner, _listener(port)).start()
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _expose(self, request: web.Request) -> web.Response:
        content_type, body = self._metrics.expose(request.headers.get("Accept", ""))
        return web.Response(body=body, headers={"Content-Type": content_type})

    async def _livez(self, _: web.Request) -> web.Response:
        return _answer(self._failure())

    async def _readyz(self, _: web.Request) -> web.Response:
        return _answer(self._unready())


def _listener(port: int) -> socket.socket:
    """Return a socket for IPv6 and IPv4, or for IPv4 alone if the pod has no IPv6."""
    if not socket.has_dualstack_ipv6():
        return socket.create_server(("", port), backlog=_BACKLOG)
    return socket.create_server(
        ("::", port), family=socket.AF_INET6, backlog=_BACKLOG, dualstack_ipv6=True
    )


def _answer(why: str | None) -> web.Response:
    return web.Response(status=200 if why is None else 503, text=f"{why or 'ok'}\n")
