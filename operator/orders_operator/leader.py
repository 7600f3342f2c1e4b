"""The work that only the leader does: watch, queue, reconcile, and list at intervals.

Each event of a watch becomes the key of the OrderService that it concerns. A key that has changed,
or is being rolled out, goes before keys that a watch only finds to exist, as it finds all after a
restart. The list finds what the watch has missed, and shows the watchdog whether anything was
missed. Where another release works, nothing is reconciled (`scopes`): the gate checks that before
each reconcile, and the handover ends what is under way.
"""

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from orders_operator.api.spec import API_VERSION, PLURAL
from orders_operator.client.errors import KubeError
from orders_operator.gate import Gate
from orders_operator.handlers import Watches
from orders_operator.handover import Handover
from orders_operator.objects import Key
from orders_operator.reconcile.cluster_issuer import CHECK_SECONDS
from orders_operator.reconcile.discovery import Apis
from orders_operator.reconcile.index import Index
from orders_operator.reconcile.queue import KeyedQueue
from orders_operator.reconcile.reconcile import Reconciler
from orders_operator.reconcile.resyncs import Resyncs
from orders_operator.resources.kinds import KINDS
from orders_operator.resources.references import REFERENCED, Reference
from orders_operator.tasks import first
from orders_operator.watch_events import WatchEvent
from orders_operator.watched_kinds import Watchable, WatchScope, watched_kinds

if TYPE_CHECKING:
    from orders_operator.client.kube import Kube
    from orders_operator.scopes import Scope
    from orders_operator.settings import Settings
    from orders_operator.telemetry.metrics import Metrics
    from orders_operator.telemetry.tracing import Tracing
    from orders_operator.watchdog import Watchdog

LIST_SECONDS: Final = 60.0
"""The longest time between two lists, for the watchdog."""
DISCOVERY_SECONDS: Final = 10.0
_WATCH_LOOP: Final = "the watch's loop"
_RESTARTS: Final = 5
_CALM_SECONDS: Final = 300.0
_PAUSE_SECONDS: Final = 1.0

log = logging.getLogger("orders_operator.leader")


class Leader:
    """Watches and reconciles while this process is the leader."""

    def __init__(  # noqa: PLR0913  its collaborators, each once
        self,
        kube: "Kube",
        settings: "Settings",
        scope: "Scope",
        metrics: "Metrics",
        tracing: "Tracing",
        watchdog: "Watchdog",
    ) -> None:
        """Build the parts; nothing runs before `run`."""
        self._kube = kube
        self._resyncs: Resyncs[Key] = Resyncs(settings.resync_interval)
        self._list_interval = min(settings.resync_interval, LIST_SECONDS)
        self._scope = scope
        self._metrics = metrics
        self._watchdog = watchdog
        self._index = Index()
        self._watches: Watches | None = None
        self._open: tuple[str, ...] | None = None
        apis = Apis(kube, KINDS)
        self._watchable = Watchable(kube, scope, apis)
        reconciler = Reconciler(
            kube,
            KINDS,
            apis,
            self._index,
            metrics,
            tracing,
            instance=settings.pod_name,
        )
        self._rotated = reconciler.rotated
        self._gate = Gate(reconciler, scope.works)
        self._queue: KeyedQueue[Key] = KeyedQueue(self._work)
        self._handover = Handover(kube, scope, self._gate, metrics, self._queue)
        metrics.watch_queue(self._queue.__len__, lambda: self._queue.failing)

    async def run(self) -> None:
        """Work; return, or raise, once work is no longer possible."""
        self._queue.start()
        self._watchdog.require("a worker", lambda: self._queue.alive)
        work = (self._list(), self._handover.follow(), self._keys())
        listing, following, looking = map(asyncio.ensure_future, work)
        self._watchdog.require("the list", lambda: not listing.done())
        self._watchdog.require("the view of the Leases", lambda: not following.done())
        self._watchdog.require("the view of the cluster's keys", lambda: not looking.done())
        try:
            await self._watch()
        finally:
            listing.cancel()
            following.cancel()
            looking.cancel()

    async def stop(self) -> None:
        """Cancel the reconciles that are under way, and stop the watches."""
        await self._queue.stop()
        if self._watches is not None:
            await self._watches.stop()

    def concerned(self, event: WatchEvent) -> set[Key]:
        """Return the OrderServices that an event concerns; any thread may call it."""
        if event.plural == PLURAL:
            return {(event.namespace, event.name)}
        labelled = event.plural not in REFERENCED  # the others are watched whoever owns them
        owner = event.owner or (event.instance if labelled else None)
        owners = set() if owner is None else {(event.namespace, owner)}
        reference = Reference(event.plural, event.name)
        return owners | self._index.namers(event.namespace, reference)

    def on_event(self, event: WatchEvent) -> None:
        """Queue the OrderServices that an event concerns."""
        self._metrics.events.labels(event.plural).inc()
        if event.plural == PLURAL:
            key = (event.namespace, event.name)
            if event.deleted:
                self._watchdog.gone(key)
            else:
                self._watchdog.watched(key, event.version)
        urgent = event.pending or not event.listed
        for key in self.concerned(event):
            self._queue.add(key, urgent=urgent)

    async def _work(self, key: Key) -> float | None:
        """Reconcile, and plan the next resync if the resource exists."""
        later = await self._gate(key)
        if self._metrics.knows(key):
            self._queue.add_after(key, self._resyncs.after(key), urgent=False)
        else:
            self._resyncs.forget(key)
        return later

    async def _watch(self) -> None:
        """Run the watches for what the cluster serves, and start them again when that changes."""
        loop = asyncio.get_running_loop()
        ends: list[float] = []
        while len(ends) < _RESTARTS:
            changed = self._scope.changed
            watch_scope = await self._watchable.now()
            if watch_scope is None:
                if self._scope.namespaces is None:
                    await self._leave(set(self._open or ()))
                    self._open = None
                await first(changed.wait(), seconds=_PAUSE_SECONDS)
                continue
            await self._leave(set(self._open or ()) - set(watch_scope.namespaces))
            self._open = watch_scope.namespaces
            watches = self._watches = Watches(
                watched_kinds(watch_scope),
                watch_scope.namespaces,
                self.on_event,
                lambda: self._watchdog.beat(_WATCH_LOOP),
                lambda event: bool(self.concerned(event)),
            )
            watches.start()
            log.info("watching, with %s", ", ".join(sorted(watch_scope.apis)) or "no optional API")
            ended = await self._until_changed(watches, watch_scope)
            self._watchdog.retire(_WATCH_LOOP)
            self._metrics.watch_restarts.inc()
            if ended:
                ends = [at for at in ends if loop.time() - at < _CALM_SECONDS] + [loop.time()]
                await asyncio.sleep(_PAUSE_SECONDS)
            self._wake()
        log.error("the watches ended %d times in a short time", len(ends))

    async def _until_changed(self, watches: Watches, watch_scope: WatchScope) -> bool:
        """Return True if the watches ended by themselves, False if the scope has changed."""
        ending = asyncio.ensure_future(watches.ended())
        try:
            while True:
                changed = self._scope.changed
                await first(changed.wait(), watches.ended(), seconds=DISCOVERY_SECONDS)
                if ending.done():
                    log.warning("the watches ended: %r", ending.result())
                    await self._watchable.doubt(watch_scope)
                    return True
                now = await self._watchable.now()
                if self._scope.namespaces is None or (now is not None and now != watch_scope):
                    await watches.stop()
                    return False
        finally:
            ending.cancel()

    async def _leave(self, namespaces: set[str]) -> None:
        """Stop work in namespaces that are no longer watched, and expect no events of them."""
        for namespace in namespaces:
            await self._handover.end(namespace)
            self._watchdog.leave(namespace)

    async def _list(self) -> None:
        """List all OrderServices at intervals, and queue those that the watch has missed."""
        while True:
            await asyncio.sleep(self._list_interval)
            if self._open is None:
                continue
            try:
                versions = await self._versions()
            except KubeError as error:
                log.warning("the list failed: %s", error)
                continue
            self._watchdog.listed(versions)
            for key in self._metrics.keys() ^ versions.keys():
                self._queue.add(key, urgent=False)

    async def _keys(self) -> None:
        """Queue all resources when the keys that sign ServiceAccount tokens have been rotated."""
        while True:
            await asyncio.sleep(CHECK_SECONDS)
            try:
                rotated = await self._rotated()
            except KubeError as error:
                log.warning("cannot read the cluster's keys: %s", error)
                continue
            if rotated:
                log.info("the cluster's keys have changed")
                self._wake()

    async def _versions(self) -> dict[Key, str]:
        found = {}
        for namespace in self._open or (None,):
            async for metadata in self._kube.metadata(API_VERSION, PLURAL, namespace):
                found[metadata.namespace, metadata.name] = metadata.resource_version
        return found

    def _wake(self) -> None:
        """Queue every resource that is known."""
        for key in self._metrics.keys():  # noqa: SIM118  no mapping
            self._queue.add(key, urgent=False)
