"""Whose tokens pods take: what their ConfigMap is to have, and the cluster's keys in it."""

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
    """Whose tokens are taken.

    Args:
        files: what the ConfigMap is to have; None to leave it as it is, or not to make it.
        ports: where pods in use ask issuers for their keys.

    """

    files: dict[str, str] | None = None
    ports: frozenset[int] = frozenset()


async def cluster_keys(current: Pass, children: Children) -> ClusterKeys | None:
    """Return the cluster's keys if they are needed, and can be had; else as pods have them."""
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
    """Whether the cluster's keys are needed and nobody knows them: then nothing new begins."""
    auth = current.service.spec.auth
    return auth is not None and bool(auth.service_accounts) and current.snapshot.cluster is None


async def trust(current: Pass) -> Trust:
    """Return whose tokens are taken.

    A spec that names no issuer any more has pods that still mount the ConfigMap refuse all; one
    without any auth leaves it as it is, until no pod needs it.
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
    """Return what the ConfigMap has now."""
    name = f"{current.service.metadata.name}{AUTH_SUFFIX}"
    live = await children.mine("v1", "ConfigMap", name)
    keys: Mapping[str, str] = (live or {}).get("data") or {}
    return keys
