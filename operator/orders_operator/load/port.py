"""The port at which a load in a cluster is followed, stopped, and asked for its ledger."""

import itertools
from typing import Final

import msgspec
from aiohttp import web

from orders_operator.load.engine import Load
from orders_operator.load.settings import Address

_SHUTDOWN_SECONDS: Final = 1.0
_LINES: Final = 500


class Port:
    """Answers GET /report, GET /ledger, GET /healthz and POST /stop."""

    def __init__(self, load: Load) -> None:
        self._load = load
        app = web.Application()
        app.add_routes(
            [
                web.get("/report", self._report),
                web.get("/ledger", self._ledger),
                web.get("/healthz", self._healthz),
                web.post("/stop", self._stop),
            ]
        )
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=_SHUTDOWN_SECONDS)

    async def open(self, address: Address) -> int:
        """Listen; return the port, which the system chooses if 0 was given.

        Raises:
            OSError: the address cannot be bound.

        """
        await self._runner.setup()
        await web.TCPSite(self._runner, address.host, address.port).start()
        return int(self._runner.addresses[0][1])

    async def close(self) -> None:
        """Stop listening."""
        await self._runner.cleanup()

    async def _report(self, _: web.Request) -> web.Response:
        body = msgspec.json.encode(self._load.report())
        return web.Response(body=body, content_type="application/json")

    async def _ledger(self, request: web.Request) -> web.StreamResponse:
        """Send the ledger in pieces, so that requests still start on time meanwhile."""
        answer = web.StreamResponse(headers={"Content-Type": "application/x-ndjson"})
        await answer.prepare(request)
        entries = iter(self._load.ledger())
        while lines := list(itertools.islice(entries, _LINES)):
            await answer.write(msgspec.json.Encoder().encode_lines(lines))
        await answer.write_eof()
        return answer

    async def _healthz(self, _: web.Request) -> web.Response:
        return web.Response(text="ok\n")

    async def _stop(self, _: web.Request) -> web.Response:
        self._load.stop()
        return web.Response(status=202)
