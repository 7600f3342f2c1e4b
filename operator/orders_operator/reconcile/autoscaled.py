"""How many pods there are once `autoscaling` is removed: as many as it had left. Pure.

`replicas` says nothing of what the load needs: nobody has looked at it while an autoscaler
decided. So the live number stays until `replicas` differs from what it was then, which is kept in
status.
"""

import msgspec

from orders_operator.api.spec import OrderService, OrderServiceSpec
from orders_operator.api.status import Autoscaled
from orders_operator.objects import Object


def autoscaled_before(resource: Object) -> Autoscaled | None:
    """Return `status.autoscaled`; None if there is none that can be understood."""
    kept = (resource.get("status") or {}).get("autoscaled")
    try:
        return msgspec.convert(kept, Autoscaled | None)
    except msgspec.ValidationError:
        return None


def autoscaled(
    spec: OrderServiceSpec, before: Autoscaled | None, live: Object | None, *, known: bool
) -> Autoscaled | None:
    """Return what is kept of autoscaling.

    Args:
        spec: what is declared.
        before: what was kept.
        live: the Deployment.
        known: whether that could be read.

    """
    if spec.autoscaling is not None:
        return Autoscaled(replicas=spec.replicas)
    if before is None or before.replicas != spec.replicas:
        return None
    if before.pods is not None or not known:
        return before
    return None if live is None else Autoscaled(spec.replicas, live["spec"].get("replicas", 1))


def with_pods(service: OrderService, kept: Autoscaled | None) -> OrderService:
    """Return a resource with as many replicas as there are to be."""
    if kept is None or kept.pods is None:
        return service
    spec = msgspec.structs.replace(service.spec, replicas=kept.pods)
    return msgspec.structs.replace(service, spec=spec)
