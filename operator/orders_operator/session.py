"""Kopf's HTTP session: it requests metadata only, and drops what concerns no OrderService.

A cluster has thousands of Secrets and ConfigMaps that no spec names. Kopf would request all of
them with their content, and keep a task, a queue and a memory for each. So its HTTP session

- requests only metadata of every kind of which no more is needed (`client.partial`);
- keeps only the fields of an answer from which a WatchEvent is made;
- leaves out what concerns no OrderService. What an OrderService names later is read then;
- requests the OrderServices first: Kopf lists all kinds at the same time, and a change of an
  OrderService is seen only after it was listed.

Without its `uid`, which is left out as well, an object gets no memory of its own in Kopf.
"""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Sequence
from http import HTTPStatus
from typing import Any, Final

import aiohttp
import kopf
from msgspec import Raw, Struct, json, to_builtins
from yarl import URL

from orders_operator.client.partial import PARTIAL, PARTIAL_LIST, Partial, PartialList
from orders_operator.watch_events import WatchedKind, WatchEvent, watch_event

_OBJECTS: Final = frozenset({"ADDED", "MODIFIED", "DELETED"})
_FIRST_SECONDS: Final = 5.0
"""How long other kinds wait at most until the OrderServices are listed."""


class _Event(Struct, frozen=True):
    """One line of a watch."""

    type: str
    object: Raw


class Session:
    """Kopf's login: each one gives it a new HTTP session."""

    def __init__(
        self, kinds: Sequence[WatchedKind], concerns: Callable[[WatchEvent], bool]
    ) -> None:
        """Keep what is watched.

        Args:
            kinds: the kinds that Kopf lists and watches.
            concerns: whether an object concerns an OrderService; called in Kopf's thread.

        """
        self._kinds = kinds
        self._concerns = concerns
        self._last: kopf.ConnectionInfo | None = None
        self._listed = asyncio.Event()

    async def login(self, **kwargs: Any) -> kopf.AiohttpSession | None:
        """Use the pod's service account, else the kubeconfig, as the client does.

        Kopf calls this again after it was refused; the same credentials are not tried again.
        """
        info = kopf.login_with_service_account(**kwargs) or kopf.login_with_kubeconfig(**kwargs)
        if info is None or info == self._last:
            return None
        self._last = info
        return _Login(info, self._ask)

    async def _ask(
        self, request: aiohttp.ClientRequest, handler: aiohttp.ClientHandlerType
    ) -> aiohttp.ClientResponse:
        """Send a request, narrowed to what is needed, and filter the answer."""
        kind = self._asked_for(request.url)
        if kind is None:
            return await handler(request)
        stream = request.url.query.get("watch") == "true"
        if not kind.whole:
            await self._turn()
            request.headers["Accept"] = PARTIAL if stream else PARTIAL_LIST
        answer = await handler(request)
        if answer.status == HTTPStatus.OK:
            sieve: Any = _Sieve(answer.content, kind, self._concerns, self._page)
            answer.content = sieve
        return answer

    async def _turn(self) -> None:
        """Wait until the OrderServices have been listed, or for 5 s."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._listed.wait(), _FIRST_SECONDS)
        self._listed.set()

    def _page(self, kind: WatchedKind, page: PartialList) -> None:
        """Note that the OrderServices are listed when their last page arrives."""
        if kind.whole and not page.metadata.next_page:
            self._listed.set()

    def _asked_for(self, url: URL) -> WatchedKind | None:
        """Return the kind whose objects a URL requests; None for any other URL."""
        for kind in self._kinds:
            root = "apis" if "/" in kind.api_version else "api"
            if f"/{root}/{kind.api_version}/" in url.path and url.name == kind.plural:
                return kind
        return None


class _Login(kopf.AiohttpSession):
    """Credentials that give each use its own session.

    When it ends, Kopf closes the session before the watches, which continue with another one until
    then.
    """

    _made: tuple[kopf.ConnectionInfo, aiohttp.ClientMiddlewareType]

    def __init__(self, info: kopf.ConnectionInfo, ask: aiohttp.ClientMiddlewareType) -> None:
        for name in ("server", "priority", "default_namespace", "expiration"):
            object.__setattr__(self, name, getattr(info, name))
        object.__setattr__(self, "_made", (info, ask))

    @property
    def aiohttp_session(self) -> aiohttp.ClientSession:
        """Make a session."""
        info, ask = self._made
        return aiohttp.ClientSession(
            connector=aiohttp.TCPConnector(limit=0, ssl=info.as_ssl_context()),
            headers=info.as_http_headers(),
            proxy=info.proxy_url,
            trust_env=info.trust_env,
            middlewares=(ask,),
        )

    __eq__ = object.__eq__
    __hash__ = object.__hash__


class _Sieve:
    """The body of an answer, reduced to what concerns an OrderService."""

    def __init__(
        self,
        content: aiohttp.StreamReader,
        kind: WatchedKind,
        concerns: Callable[[WatchEvent], bool],
        on_page: Callable[[WatchedKind, PartialList], None],
    ) -> None:
        self._content = content
        self._on_page = on_page
        self._kind = kind
        self._concerns = concerns

    def __getattr__(self, name: str) -> Any:
        """Delegate everything else to the body itself."""
        return getattr(self._content, name)

    async def read(self) -> bytes:
        """Return a page of a list, without the items that concern no OrderService."""
        page = json.decode(await self._content.read(), type=PartialList)
        self._on_page(self._kind, page)
        items = [kept for item in page.items or () if (kept := self._kept(None, item)) is not None]
        return json.encode({"metadata": page.metadata, "items": items})

    async def iter_chunked(self, size: int) -> AsyncIterator[bytes]:
        """Yield the events of a watch that concern an OrderService, and its bookmarks."""
        rest = bytearray()
        async for chunk in self._content.iter_chunked(size):
            rest += chunk
            *lines, last = rest.split(b"\n") if b"\n" in chunk else (rest,)
            for line in lines:
                kept = self._line(line)
                if kept is not None:
                    yield kept + b"\n"
            rest = last
        if rest:
            yield bytes(rest)

    def _line(self, line: bytearray) -> bytes | None:
        event = json.decode(line, type=_Event)
        if event.type not in _OBJECTS:
            return bytes(line)
        obj = self._kept(event.type, json.decode(event.object, type=Partial))
        return None if obj is None else json.encode({"type": event.type, "object": obj})

    def _kept(self, event: str | None, item: Partial) -> Any:
        """Return the part of an object that Kopf gets; None if it concerns no OrderService."""
        obj = to_builtins(item)
        return obj if self._concerns(watch_event(self._kind, event, obj)) else None
