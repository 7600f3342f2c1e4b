"""The Secret with the metrics' API key: it exists before the pods that need it, and after them."""

import secrets
from typing import Final

from orders_operator.objects import Object
from orders_operator.reconcile.reconcile_pass import Pass
from orders_operator.resources.metrics_key import metrics_secret, reference, usable_key
from orders_operator.resources.references import metrics_keys_of

_PREFIX: Final = "orders_"
"""The prefix of the service's own keys, by which secret scanners recognise them."""
_BYTES: Final = 32


async def make_metrics_key(current: Pass) -> bool:
    """Make the Secret if it is declared, because pods cannot start without it.

    Returns:
        False if it is declared and could not be made, else True.

    """
    if current.invalid is not None or not current.service.spec.monitoring.auth:
        return True
    live, made = await _live(current), await _secret(current)
    failures = []
    if live is None or live.get("data") != made["data"]:
        failures = await current.snapshot.children.apply([made])
        current.failures += failures
    if not failures:
        current.snapshot.contents[reference(current.service)] = made
    return not failures


async def kept_metrics_key(current: Pass) -> Object | None:
    """Return the Secret while it is declared or mounted; None if nobody needs one."""
    name = reference(current.service).name
    mounted = any(metrics_keys_of(reader) == name for reader in current.in_use)
    if ("Secret", name) in current.snapshot.children.held_back:  # it may be somebody else's
        return None
    return await _secret(current) if current.service.spec.monitoring.auth or mounted else None


async def credential(current: Pass) -> str | None:
    """Return the API key that pods accept, for the operator's own analysis; None without one."""
    return usable_key(current.service, await _live(current))


async def _live(current: Pass) -> Object | None:
    return await current.snapshot.children.mine("v1", "Secret", reference(current.service).name)


async def _secret(current: Pass) -> Object:
    fresh = _PREFIX + secrets.token_urlsafe(_BYTES)
    return metrics_secret(current.service, fresh, await _live(current))
