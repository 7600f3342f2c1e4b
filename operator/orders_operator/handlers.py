"""Kopf's part: it watches, and passes the events on. It decides nothing.

The operator is level-triggered, which Kopf's documentation recommends for resources made of many
objects (docs/reconciliation.rst), so only `on.event` is used. All workarounds for Kopf are here
and in `session`:

- Handlers of changes may lose an update (nolar/kopf#641, #1178), and keep the last state of an
  object in its annotations, even of Secrets (#1087); timers and daemons add finalizers, which
  hold up the deletion of a namespace while the operator is away. None of them is used.
- A watch may end and leave an operator that is alive but does nothing (#1145, #1276): each run is
  supervised by `ended`, by the beats of its loop, and by a list of our own (`watchdog`).
- It can be embedded (zalando-incubator/kopf#156), but at its end it cancels whatever runs in its
  loop, and a kind that vanishes ends it. So it has its own thread and loop, and is started anew
  when the set of served kinds changes.
- It requests whole objects, and keeps a task and a memory for each one: see `session`.
- It scans for CRDs and namespaces of the whole cluster, and elects by its own CRD, without a
  Lease. Kinds come from discovery instead, and replicas from `client.election`.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable, Sequence
from typing import Any, Final

import kopf

from orders_operator.session import Session
from orders_operator.watch_events import WatchedKind, WatchEvent, watch_event

BEAT_SECONDS: Final = 5.0
_STOP_SECONDS: Final = 5.0
_PAGE: Final = 50
"""How many objects a page has: their annotations, which nobody reads, may have 256 KiB each."""

log = logging.getLogger("orders_operator.handlers")


class Watches:
    """One run of Kopf over a set of kinds."""

    def __init__(
        self,
        kinds: Sequence[WatchedKind],
        namespaces: Sequence[str],
        on_event: Callable[[WatchEvent], None],
        on_beat: Callable[[], None],
        concerns: Callable[[WatchEvent], bool],
    ) -> None:
        """Prepare; nothing is watched before `start`.

        Args:
            kinds: what to watch; each must be served.
            namespaces: where; empty means the whole cluster.
            on_event: called for every event that concerns an OrderService, in the loop that calls
                `start`.
            on_beat: called every 5 s, as long as Kopf's loop runs.
            concerns: whether an event concerns an OrderService, called in Kopf's thread.

        """
        self._kinds = kinds
        self._namespaces = namespaces
        self._on_event = on_event
        self._on_beat = on_beat
        self._session = Session(kinds, concerns)
        self._stop = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ended: asyncio.Future[BaseException | None] | None = None

    def start(self) -> None:
        """Start the thread."""
        self._loop = asyncio.get_running_loop()
        self._ended = self._loop.create_future()
        threading.Thread(target=self._run, name="watches", daemon=True).start()

    async def ended(self) -> BaseException | None:
        """Wait until Kopf has ended; return the exception that ended it, if any."""
        assert self._ended is not None  # noqa: S101  start() came before
        return await asyncio.shield(self._ended)

    async def stop(self) -> None:
        """Ask Kopf to end, and wait up to 5 s for it."""
        self._stop.set()
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.ended(), _STOP_SECONDS)

    def _run(self) -> None:
        error: BaseException | None = None
        try:
            asyncio.run(self._watch())
        except BaseException as caught:  # noqa: BLE001  the other loop receives it, whatever it is
            error = caught
        self._tell(self._end, error)

    async def _watch(self) -> None:
        beating = asyncio.ensure_future(self._beat())
        try:
            await kopf.operator(
                registry=self._registry(),
                settings=_settings(self._kinds),
                clusterwide=not self._namespaces,
                namespaces=self._namespaces,
                standalone=True,
                stop_flag=self._stop,
            )
        finally:
            beating.cancel()
            self._stop.set()  # one of Kopf's threads waits for it, and this loop for that thread

    async def _beat(self) -> None:
        while True:
            self._tell(self._on_beat)
            await asyncio.sleep(BEAT_SECONDS)

    def _registry(self) -> kopf.OperatorRegistry:
        registry = kopf.OperatorRegistry()
        kopf.on.login(registry=registry, errors=kopf.ErrorsMode.IGNORED)(self._session.login)
        handler: Any = self._on_kopf_event  # it takes only two of Kopf's sixteen arguments
        for kind in self._kinds:
            group, _, version = kind.api_version.rpartition("/")
            kopf.on.event(
                group, version, kind.plural, id=f"saw-{kind.plural}", registry=registry, param=kind
            )(handler)
        return registry

    async def _on_kopf_event(self, *, event: Any, param: WatchedKind, **_: Any) -> None:
        if not self._stop.is_set():
            self._tell(self._on_event, watch_event(param, event["type"], event["object"]))

    def _end(self, error: BaseException | None) -> None:
        if self._ended is not None and not self._ended.done():
            self._ended.set_result(error)

    def _tell(self, call: Callable[..., None], *args: Any) -> None:
        """Call something in the loop that started the watches, unless that is closed."""
        assert self._loop is not None  # noqa: S101  start() came before
        with contextlib.suppress(RuntimeError):
            self._loop.call_soon_threadsafe(call, *args)


def _settings(kinds: Sequence[WatchedKind]) -> kopf.OperatorSettings:
    settings = kopf.OperatorSettings()
    settings.posting.enabled = False
    settings.scanning.disabled = True  # kinds come from discovery; needs no right to list CRDs
    settings.watching.server_timeout = 300
    settings.watching.chunk_size = _PAGE
    settings.networking.request_timeout = 30
    settings.networking.error_backoffs = (0.5, 1, 2, 4, 8)
    settings.queueing.idle_timeout = 0.05  # so long each object of a list keeps a task
    settings.queueing.exit_timeout = 0.5
    settings.process.ultimate_exiting_timeout = None  # it would kill the whole process
    for kind in kinds:
        group, _, version = kind.api_version.rpartition("/")
        selector = (group, version, kind.plural)
        if kind.labels:
            settings.watching.label_selectors[selector] = kind.labels
        if kind.fields:
            settings.watching.field_selectors[selector] = kind.fields
    return settings
