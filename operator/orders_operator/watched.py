"""What is watched: the kinds, and which objects of each."""

from typing import Final

from orders_operator.api.spec import API_VERSION, PLURAL
from orders_operator.handlers import Watched
from orders_operator.resources.kinds import KINDS
from orders_operator.resources.labels import MANAGED_BY

OURS: Final = f"app.kubernetes.io/managed-by={MANAGED_BY}"


def watched(served: frozenset[str]) -> list[Watched]:
    """Return the kinds to watch.

    Secrets and ConfigMaps are watched without our label, for specs name those of others; what is
    large or in every namespace and named by nobody is left out.
    """
    special = {
        "secrets": Watched("v1", "secrets", fields="type!=helm.sh/release.v1"),
        "configmaps": Watched("v1", "configmaps", fields="metadata.name!=kube-root-ca.crt"),
    }
    kinds = {PLURAL: Watched(API_VERSION, PLURAL), "pods": Watched("v1", "pods", labels=OURS)}
    for kind in KINDS:
        if not kind.optional or kind.api_version in served:
            kinds[kind.plural] = Watched(kind.api_version, kind.plural, labels=OURS)
    return list((kinds | special).values())
