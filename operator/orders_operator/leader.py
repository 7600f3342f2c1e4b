"""The work that only the leader does: watch, queue, reconcile, and list at intervals.

Each event of a watch becomes the key of the OrderService that it concerns. A key that has changed,
or is being rolled out, goes before keys that a watch only finds to exist, as it finds all after a
restart. The list finds what the watch has missed, and shows the watchdog whether anything was
missed. Where another release works, nothing is reconciled (`scopes`): the gate checks that before
each reconcile.
"""

import asyncio
import logging
from typing import TYPE_CHECKING, Final

from msgspec.structs import replace

from orders_operator.api.spec import API_VERSION, PLURAL
from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.gate import Gate
from orders_operator.handlers import Watches
from orders_operator.objects import Key
from orders_operator.reconcile.cluster_issuer import LOOK_SECONDS
from orders_operator.reconcile.discovery import Apis
from orders_operator.reconcile.index import Index
from orders_operator.reconcile.queue import KeyedQueue
from orders_operator.reconcile.reconcile import Reconciler
from orders_operator.reconcile.resyncs import Resyncs
from orders_operator.resources.kinds import KINDS
from orders_operator.resources.references import REFERENCED, Reference
from orders_operator.tasks import first
from orders_operator.watch_events import WatchEvent
from orders_operator.watched_kinds import WatchScope, forbidden, watched_kinds

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
        self._apis = Apis(kube, KINDS)
        self._watches: Watches | None = None
        self._open: tuple[str, ...] | None = None
        self._closed: set[str] = set()
        self._barred: frozenset[str] = frozenset()
        reconciler = Reconciler(
            kube,
            KINDS,
            self._apis,
            self._index,
            metrics,
            tracing,
            instance=settings.pod_name,
        )
        self._rotated = reconciler.rotated
        self._gate = Gate(reconciler, scope.works)
        self._queue: KeyedQueue[Key] = KeyedQueue(self._work)
        metrics.watch_queue(self._queue.__len__, lambda: self._queue.failing)

    async def run(self) -> None:
        """Work; return, or raise, once work is no longer possible."""
        self._queue.start()
        self._watchdog.require("a worker", lambda: self._queue.alive)
        work = (self._list(), self._follow(), self._keys())
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
            watch_scope = await self._watch_scope()
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
                    self._apis.doubt()
                    self._barred = await forbidden(self._kube, watch_scope)
                    return True
                now = await self._watch_scope()
                if self._scope.namespaces is None or (now is not None and now != watch_scope):
                    await watches.stop()
                    return False
        finally:
            ending.cancel()

    async def _watch_scope(self) -> WatchScope | None:
        """Return what can be watched and is ours; None if that is nothing, or unknown.

        The deletion of a namespace removes its Role; it must not end the watches of the others.
        """
        try:
            if PLURAL not in await self._kube.serves(API_VERSION):
                log.warning("the cluster has no %s.%s yet", PLURAL, API_VERSION.split("/")[0])
                return None
            wanted = self._scope.namespaces
            if wanted is None:
                return None
            opened = tuple([namespace for namespace in wanted if await self._is_open(namespace)])
            if wanted and not opened:
                return None
            watch_scope = WatchScope(await self._apis.served(), opened)
            self._barred &= await forbidden(self._kube, watch_scope, self._barred)
            return replace(watch_scope, barred=self._barred)
        except KubeError as error:
            log.warning("discovery failed: %s", error)
            return None

    async def _is_open(self, namespace: str) -> bool:
        try:
            await self._kube.may_list(API_VERSION, PLURAL, namespace)
        except KubeError as error:
            if error.reason is not ErrorReason.FORBIDDEN:
                raise
            if namespace not in self._closed:
                log.warning("namespace %s is left out: %s", namespace, error)
            self._closed.add(namespace)
            return False
        self._closed.discard(namespace)
        return True

    async def _leave(self, namespaces: set[str]) -> None:
        """Stop work in namespaces that are no longer watched, and expect no events of them."""
        for namespace in namespaces:
            await self._end(namespace)
            self._watchdog.leave(namespace)

    async def _end(self, namespace: str) -> None:
        """Stop work in a namespace, and drop the metrics of its resources."""
        await self._gate.end(namespace)
        for key in self._metrics.keys():  # noqa: SIM118  no mapping
            if key[0] == namespace:
                self._metrics.forget(key)

    async def _follow(self) -> None:
        """Stop work where another release works, and resume it where one has left."""
        left: dict[str, str] = {}
        while True:
            changed = self._scope.changed
            now = self._scope.left_out
            for namespace in now.keys() - left.keys():
                log.info("namespace %s is left to %s", namespace, now[namespace])
            lost = {
                namespace
                for namespace in self._gate.namespaces
                if not self._scope.works(namespace)
            }
            await asyncio.gather(*(self._end(namespace) for namespace in lost | now.keys()))
            back = left.keys() - now.keys()
            left = {
                **now,
                **{
                    namespace: left[namespace]
                    for namespace in back
                    if not await self._take_up(namespace)
                },
            }
            await first(
                changed.wait(), seconds=_PAUSE_SECONDS if left.keys() - now.keys() else None
            )

    async def _take_up(self, namespace: str) -> bool:
        """Queue the resources of a namespace that another release has left.

        Returns:
            Whether the namespace could be listed.

        """
        try:
            services = [
                metadata async for metadata in self._kube.metadata(API_VERSION, PLURAL, namespace)
            ]
        except KubeError as error:
            log.warning("namespace %s is not taken up yet: %s", namespace, error)
            return False
        log.info("namespace %s is taken up", namespace)
        for metadata in services:
            self._queue.add((namespace, metadata.name), urgent=False)
        return True

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
            await asyncio.sleep(LOOK_SECONDS)
            try:
                rotated = await self._rotated()
            except KubeError as error:
                log.warning("the cluster's keys were not read: %s", error)
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
