"""`kubectl orders restart --all`: the OrderServices of a namespace, one after the other."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime

from orders_operator.client.errors import KubeError
from orders_operator.client.kube import Kube
from orders_operator.plugin.commands import Order, decide, tell
from orders_operator.plugin.errors import Refused
from orders_operator.plugin.snapshot import services


async def restart_all(kube: Kube, namespace: str) -> AsyncIterator[Order | Refused | KubeError]:
    """Yield the command that was sent to each OrderService, or the error; go on after errors.

    Raises:
        Refused: there is no OrderService.

    """
    resources = await services(kube, namespace)
    if not resources:
        raise Refused(f"there is no OrderService in namespace {namespace}")
    now = datetime.now(UTC)
    for resource in resources:
        try:
            order = decide(resource, "restart", now)
            await tell(kube, order)
        except (Refused, KubeError) as error:
            yield error
        else:
            yield order
