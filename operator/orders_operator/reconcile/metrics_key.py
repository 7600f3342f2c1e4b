"""The Secret with the API key of the metrics: there before the pods that need it, and after."""

import secrets
from typing import Any, Final

from orders_operator.reconcile.reconcile_pass import Pass
from orders_operator.resources.metrics_key import metrics_secret, reference, usable_key
from orders_operator.resources.references import metrics_keys_of

Object = dict[str, Any]

_PREFIX: Final = "orders_"
"""As the service's own keys begin; scanners for secrets know them by it."""
_BYTES: Final = 32


async def make_metrics_key(it: Pass) -> bool:
    """Make the Secret where it is declared, as pods cannot begin without it.

    Return whether what is declared can be had.
    """
    if it.invalid is not None or not it.service.spec.monitoring.auth:
        return True
    live, made = await _live(it), await _secret(it)
    problems = []
    if live is None or live.get("data") != made["data"]:
        problems = await it.snapshot.children.apply([made])
        it.problems += problems
    if not problems:
        it.snapshot.contents[reference(it.service)] = made
    return not problems


async def kept_metrics_key(it: Pass) -> Object | None:
    """Return the Secret while it is declared or mounted; None if nobody needs one."""
    name = reference(it.service).name
    mounted = any(metrics_keys_of(reader) == name for reader in it.in_use)
    if ("Secret", name) in it.snapshot.children.held_back:  # somebody else's, perhaps
        return None
    return await _secret(it) if it.service.spec.monitoring.auth or mounted else None


async def credential(it: Pass) -> str | None:
    """Return the API key that pods take, for the operator's own analysis; None without one."""
    return usable_key(it.service, await _live(it))


async def _live(it: Pass) -> Object | None:
    return await it.snapshot.children.mine("v1", "Secret", reference(it.service).name)


async def _secret(it: Pass) -> Object:
    fresh = _PREFIX + secrets.token_urlsafe(_BYTES)
    return metrics_secret(it.service, fresh, await _live(it))
