"""Chooses the kinds to watch, and which objects of each."""

from collections.abc import Collection
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from orders_operator.api.spec import API_VERSION, PLURAL
from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.resources.kinds import KINDS
from orders_operator.resources.labels import MANAGED_BY
from orders_operator.watch_events import WatchedKind

if TYPE_CHECKING:
    from orders_operator.client.kube import Kube

OURS: Final = f"app.kubernetes.io/managed-by={MANAGED_BY}"


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
