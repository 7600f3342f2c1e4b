"""Keeps the autoscaler's number of pods once `autoscaling` is removed from the spec. Pure.

`replicas` says nothing about the load: it had no effect while an autoscaler decided. So the live
number stays until `replicas` differs from what it was then, which the status keeps.
"""

import msgspec

from orders_operator.api.spec import OrderService, OrderServiceSpec
from orders_operator.api.status import Autoscaled
from orders_operator.objects import Object


def autoscaled_before(resource: Object) -> Autoscaled | None:
    """Return `status.autoscaled`; None if there is none, or it cannot be understood."""
    kept = (resource.get("status") or {}).get("autoscaled")
    try:
        return msgspec.convert(kept, Autoscaled | None)
    except msgspec.ValidationError:
        return None


def autoscaled(
    spec: OrderServiceSpec, before: Autoscaled | None, live: Object | None, *, known: bool
) -> Autoscaled | None:
    """Return the `status.autoscaled` to write.

    Args:
        spec: the declared spec.
        before: the `status.autoscaled` so far.
        live: the Deployment; None if there is none.
        known: whether the Deployment could be read.

    """
    if spec.autoscaling is not None:
        return Autoscaled(replicas=spec.replicas)
    if before is None or before.replicas != spec.replicas:
        return None
    if before.pods is not None or not known:
        return before
    return None if live is None else Autoscaled(spec.replicas, live["spec"].get("replicas", 1))


def with_pods(service: OrderService, kept: Autoscaled | None) -> OrderService:
    """Return a resource with the number of replicas that the autoscaler left, if one is kept."""
    if kept is None or kept.pods is None:
        return service
    spec = msgspec.structs.replace(service.spec, replicas=kept.pods)
    return msgspec.structs.replace(service, spec=spec)
