"""The issuers whose tokens pods accept: their ConfigMap, and the cluster's keys in it."""

from collections.abc import Mapping

from msgspec import Struct

from orders_operator.api.conditions import Reason
from orders_operator.client.errors import KubeError
from orders_operator.reconcile.children import Children
from orders_operator.reconcile.reconcile_pass import Pass
from orders_operator.resources.auth import (
    AUTH_SUFFIX,
    ClusterKeys,
    auth_files,
    issuer_ports,
    kept_keys,
)
from orders_operator.resources.references import auth_config_of
from orders_operator.rollout.pods import Failure


class Trust(Struct, frozen=True):
    """The issuers whose tokens are accepted.

    Args:
        files: the ConfigMap's data; None leaves it as it is, or does not make it.
        ports: the ports at which pods in use ask issuers for their keys.

    """

    files: dict[str, str] | None = None
    ports: frozenset[int] = frozenset()


async def cluster_keys(current: Pass, children: Children) -> ClusterKeys | None:
    """Return the cluster's keys; None if they are not needed, or cannot be used.

    If the API server does not give them now, return those that the pods have, if any.
    """
    auth = current.service.spec.auth
    if auth is None or not auth.service_accounts:
        return None
    try:
        keys = await current.context.issuer.keys()
    except KubeError as error:
        current.failures.append(
            Failure(
                Reason.APPLY_FAILED,
                f"serviceAccounts needs the API server's keys: {error.message}",
            )
        )
        return kept_keys(await _kept(current, children))
    if keys.issuer in {issuer.issuer for issuer in auth.jwt}:
        text = (
            f"auth.jwt names {keys.issuer}, the API server's own issuer: use"
            " serviceAccounts instead"
        )
        current.failures.append(Failure(Reason.APPLY_FAILED, text))
        return None
    return keys


def lacks_keys(current: Pass) -> bool:
    """Whether the cluster's keys are needed but unknown: then no new revision begins."""
    auth = current.service.spec.auth
    return auth is not None and bool(auth.service_accounts) and current.snapshot.cluster is None


async def trust(current: Pass) -> Trust:
    """Return the issuers whose tokens are accepted.

    If the spec no longer names an issuer, pods that still mount the ConfigMap refuse all tokens.
    If the spec has no auth at all, the ConfigMap stays as it is until no pod needs it.
    """
    auth, kept = current.service.spec.auth, await _kept(current, current.snapshot.children)
    name = f"{current.service.metadata.name}{AUTH_SUFFIX}"
    mounted = any(auth_config_of(reader) == name for reader in current.in_use)
    files = None
    if auth is not None and (auth.takes_tokens or mounted) and not lacks_keys(current):
        files = auth_files(auth, current.snapshot.cluster)
    if not (mounted or files):
        return Trust()
    return Trust(files, issuer_ports(kept if files is None else files))


async def _kept(current: Pass, children: Children) -> Mapping[str, str]:
    """Return the data that the ConfigMap has now."""
    name = f"{current.service.metadata.name}{AUTH_SUFFIX}"
    live = await children.mine("v1", "ConfigMap", name)
    keys: Mapping[str, str] = (live or {}).get("data") or {}
    return keys
