"""The schemes that pods in use speak, and the one that reaches most pods that serve. Pure."""

from collections.abc import Iterable

from orders_operator.objects import Object
from orders_operator.reconcile.reconcile_pass import POD, Pass
from orders_operator.resources.labels import CANARY, STABLE, TRACK
from orders_operator.resources.references import scheme
from orders_operator.resources.schemes import HTTP, HTTPS, Schemes, declared
from orders_operator.resources.service import PORTS
from orders_operator.rollout.pods import ready


def schemes(current: Pass, live: Object | None) -> Schemes:
    """Return the schemes of everything in use.

    Args:
        current: the pass.
        live: the live Service; its ports stay while it is unknown what runs.

    """
    spoken = {scheme(reader) for reader in current.in_use}
    if current.plan is None or POD in current.snapshot.unknown:
        spoken |= _led(live)
    template = declared(current.service.spec)
    if current.plan is not None and current.plan.stable in current.known:
        template = scheme(current.known[current.plan.stable].template)
    spoken = spoken or {template}
    otherwise = template if template in spoken else min(spoken)
    pods = current.snapshot.pods
    stable = _most(_of_track(pods, STABLE), otherwise)
    canary = stable
    if current.plan is not None and current.plan.canary in current.known:
        canary = scheme(current.known[current.plan.canary].template)
    return Schemes(
        spoken=frozenset(spoken),
        all=_most(pods, otherwise),
        stable=stable,
        canary=_most(_of_track(pods, CANARY), canary),
    )


def _most(pods: Iterable[Object], otherwise: str) -> str:
    """Return the scheme of most serving pods, HTTPS if half have it; `otherwise` without any."""
    serving = [
        scheme(pod) for pod in pods if ready(pod) and not pod["metadata"].get("deletionTimestamp")
    ]
    if not serving:
        return otherwise
    return HTTPS if 2 * serving.count(HTTPS) >= len(serving) else HTTP


def _of_track(pods: Iterable[Object], track: str) -> list[Object]:
    return [pod for pod in pods if (pod["metadata"].get("labels") or {}).get(TRACK) == track]


def _led(live: Object | None) -> set[str]:
    ports = ((live or {}).get("spec") or {}).get("ports") or []
    return {port.get("name") for port in ports} & PORTS.keys()
