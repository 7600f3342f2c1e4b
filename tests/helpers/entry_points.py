"""The ways into the service, each a server of its own, for tests that compare their answers.

The service as it is; on Granian's public interface alone; with a driver that completes at once;
and its cold application over Granian's ASGI, which shares none of the hot path. What differs by
nature (ids, times, trace ids, date, and the length, as a time without milliseconds is shorter) is
replaced by its name, so that answers can be compared. One thing is meant to differ: a header that
is read and is not visible ASCII, which RSGI hides, is 400.
"""

import asyncio
import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Final, NamedTuple

from orders.http.rsgi import READ
from tests.helpers.hot_requests import GOOD, SEEDED
from tests.helpers.postgres import Databases
from tests.helpers.raw_http import JSON, Answer, Request, exchange, pipelined
from tests.helpers.server import Server

UUID = re.compile("[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}")
INSTANT = re.compile(r'(?<="created_at":")\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d{6})?Z(?=")')


class PublicServer(Server):
    """The service on a Granian without the names that it does not publish."""

    program = (
        "-c",
        """
import sys
from granian import _granian
assert _granian.CallbackScheduler is not None
from orders import cli
from orders.http import server
server._UNPUBLISHED = (("Gone", "serve_async"),)
sys.exit(cli.main())
""",
    )


class AtOnceServer(Server):
    """The service with a driver that completes at once: batches land while they are launched.

    Each statement runs in the loop of another thread, which is waited for without giving way.
    """

    program = (
        "-c",
        """
import asyncio, sys, threading
from orders import cli
from orders.store.session import Session
fetch = Session.fetch
beside = asyncio.new_event_loop()
threading.Thread(target=beside.run_forever, daemon=True).start()
async def fetch_at_once(*arguments, **options):
    return asyncio.run_coroutine_threadsafe(fetch(*arguments, **options), beside).result()
Session.fetch = fetch_at_once
sys.exit(cli.main())
""",
    )


class ColdServer(Server):
    """The service with its cold application alone, over Granian's ASGI."""

    program = (
        "-c",
        """
import sys
from orders import cli, serve
def cold(take, *where, **_):
    return serve.serve_asgi(take.__self__._shared.bridge.app, *where)
serve.serve_rsgi = cold
sys.exit(cli.main())
""",
    )


class BridgedServer(Server):
    """The service with its cold application alone, behind the same door as ever."""

    program = (
        "-c",
        """
import sys
from orders import cli, serve
front_door = serve.FrontDoor
serve.FrontDoor = lambda shared, *, gate, hot: front_door(shared, gate=gate, hot=False)
sys.exit(cli.main())
""",
    )


KINDS: Final[dict[str, type[Server]]] = {
    "hot": Server,
    "public": PublicServer,
    "at once": AtOnceServer,
    "cold": ColdServer,
}


class Door(NamedTuple):
    """One server's port, and the id of its seeded order."""

    port: int
    seeded: str

    def ask(self, request: Request) -> Answer:
        """Return the answer to a request, comparable."""
        sent = self._seed(request)
        return self._comparable_to(sent, exchange(self.port, sent))

    def ask_at_once(self, requests: Iterable[Request]) -> list[Answer]:
        """Return the answers to requests that are sent in one piece on one connection."""
        sent = [self._seed(request) for request in requests]
        return [
            self._comparable_to(request, answer)
            for request, answer in zip(sent, pipelined(self.port, sent), strict=True)
        ]

    def _seed(self, request: Request) -> Request:
        return request._replace(
            path=request.path.replace(SEEDED, self.seeded),
            headers=tuple((n, value.replace(SEEDED, self.seeded)) for n, value in request.headers),
        )

    def _comparable_to(self, sent: Request, answer: Answer) -> Answer:
        length = str(len(answer.body))
        if sent.method == "HEAD":
            length = str(len(exchange(self.port, sent._replace(method="GET")).body))
        chosen = any(name == "traceparent" for name, _ in sent.headers)
        return self.comparable(answer, length, chosen=chosen)

    def comparable(self, answer: Answer, length: str, *, chosen: bool = False) -> Answer:
        """Name what differs by nature; the trace does not where the caller has chosen it.

        Args:
            answer: what came.
            length: the Content-Length that its body should have.
            chosen: whether the trace was the caller's.

        """
        trace = dict(answer.headers).get("x-correlation-id", "none: the server itself refused")

        def named(text: str) -> str:
            text = UUID.sub("<id>", text.replace(self.seeded, SEEDED))
            return INSTANT.sub("<instant>", text if chosen else text.replace(trace, "<trace>"))

        def named_header(name: str, value: str) -> str:
            return "<of the body>" if (name, value) == ("content-length", length) else named(value)

        return Answer(
            answer.status,
            tuple((n, named_header(n, value)) for n, value in answer.headers if n != "date"),
            named(answer.body.decode("latin-1")).encode("latin-1"),
        )


class Doors(NamedTuple):
    """The servers of `KINDS`."""

    hot: Door
    public: Door
    at_once: Door
    cold: Door

    def compare(self, request: Request) -> list[Answer] | None:
        """Return the answers unless they are as they should be."""
        hot, *others, cold = answers = [door.ask(request) for door in self]
        hidden = [n for n, value in request.headers if n.lower() in READ and not value.isascii()]
        if hidden and cold.status != 400:
            as_it_should_be = _refuses(hot, hidden[0], request.method)
        else:
            as_it_should_be = bool(hidden) or hot == cold
        return None if as_it_should_be and all(hot == other for other in others) else answers


def _refuses(answer: Answer, header: str, method: str) -> bool:
    """Whether an answer says that a header cannot be read."""
    told = method == "HEAD" or f'"#/header/{header}"'.encode() in answer.body
    told = told or (header == "Idempotency-Key" and b"malformed-idempotency-key" in answer.body)
    return answer.status == 400 and told


@contextmanager
def open_doors(  # noqa: PLR0913  one fact each
    postgres: Databases,
    folder: Path,
    environ: Mapping[str, str] = MappingProxyType({}),
    *,
    cold: type[Server] = ColdServer,
    credential: Iterable[tuple[str, str]] = (),
    prepare: Callable[[str], object] = lambda _: None,
) -> Iterator[Doors]:
    """Start the servers, with a database each, and seed an order; they must end with 0.

    Args:
        postgres: where their databases are.
        folder: for what they print.
        environ: more of their environment.
        cold: the server whose answers are all those of the cold application.
        credential: headers with which an order can be made.
        prepare: called with each database's URL before its server starts.

    """
    kinds = (KINDS | {"cold": cold}).values()
    urls = [postgres.migrated_database() for _ in kinds]
    for url in urls:
        prepare(url)
    servers = [
        kind(folder / f"{kind.__name__}.log", DATABASE_URL=url, **environ)
        for kind, url in zip(kinds, urls, strict=True)
    ]
    found = []
    for server in servers:
        server.wait_for()
        asyncio.run(server.all_connected())
        made = exchange(server.port, Request("POST", "/orders", (JSON, *credential), (GOOD,)))
        found.append(Door(server.port, json.loads(made.body)["id"]))
    yield Doors(*found)
    assert [0] * len(servers) == [server.stop() for server in servers]
    postgres.drop(*urls)
