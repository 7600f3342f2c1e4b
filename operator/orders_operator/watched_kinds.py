"""Finds what can be watched: which kinds, which objects of each, and in which namespaces.

The rights, the APIs that are served and the namespaces of this release change while it runs.
"""

import logging
from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from msgspec import Struct
from msgspec.structs import replace

from orders_operator.api.spec import API_VERSION, PLURAL
from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.resources.kinds import KINDS
from orders_operator.resources.labels import MANAGED_BY
from orders_operator.watch_events import WatchedKind

if TYPE_CHECKING:
    from orders_operator.client.kube import Kube
    from orders_operator.reconcile.discovery import Apis
    from orders_operator.scopes import Scope

OURS: Final = f"app.kubernetes.io/managed-by={MANAGED_BY}"

log = logging.getLogger("orders_operator.leader")


class WatchScope(Struct, frozen=True):
    """What can be watched now.

    Args:
        apis: the optional APIs that are served.
        namespaces: the namespaces to watch; empty for the whole cluster.
        barred: the plurals of kinds that must not be listed.

    """

    apis: frozenset[str]
    namespaces: tuple[str, ...] = ()
    barred: frozenset[str] = frozenset()


def watched_kinds(scope: WatchScope) -> list[WatchedKind]:
    """Return the kinds to watch.

    Secrets and ConfigMaps are watched without our label, because specs name those of other owners.
    Left out are those that are large or in every namespace, and that no spec names.
    """
    special = {
        "secrets": WatchedKind("v1", "secrets", fields="type!=helm.sh/release.v1"),
        "configmaps": WatchedKind("v1", "configmaps", fields="metadata.name!=kube-root-ca.crt"),
    }
    kinds = {
        PLURAL: WatchedKind(API_VERSION, PLURAL, whole=True),
        "pods": WatchedKind("v1", "pods", labels=OURS),
    }
    for kind in KINDS:
        if not kind.optional or kind.api_version in scope.apis:
            kinds[kind.plural] = WatchedKind(kind.api_version, kind.plural, labels=OURS)
    return [kind for name, kind in (kinds | special).items() if name not in scope.barred]


async def forbidden(
    kube: "Kube", scope: WatchScope, among: Collection[str] | None = None
) -> frozenset[str]:
    """Return the plurals of kinds that must not be listed: a single one ends all watches.

    Args:
        kube: the cluster.
        scope: what is served, and the namespaces to check.
        among: the plurals to check; None for all but the OrderServices.

    """
    barred = set()
    for kind in watched_kinds(scope):
        if kind.plural == PLURAL or (among is not None and kind.plural not in among):
            continue
        for namespace in scope.namespaces or (None,):
            try:
                await kube.may_list(kind.api_version, kind.plural, namespace)
            except KubeError as error:
                if error.reason is ErrorReason.FORBIDDEN:
                    barred.add(kind.plural)
    return frozenset(barred)


class Watchable:
    """Finds what can be watched now."""

    def __init__(self, kube: "Kube", scope: "Scope", apis: "Apis") -> None:
        self._kube = kube
        self._scope = scope
        self._apis = apis
        self._closed: set[str] = set()
        self._barred: frozenset[str] = frozenset()

    async def now(self) -> WatchScope | None:
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

    async def doubt(self, watch_scope: WatchScope) -> None:
        """Ask again what is served and forbidden, because watches of this scope ended."""
        self._apis.doubt()
        self._barred = await forbidden(self._kube, watch_scope)

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
