"""All that an OrderService should consist of: a pure function of the resource and a few facts.

What is not returned is not wanted: the reconcile deletes it.
"""

from typing import Any

from msgspec import Struct

from orders_operator.api.spec import OrderService
from orders_operator.resources import account, expose, network, postgres, scaling
from orders_operator.resources.deployment import deployment
from orders_operator.resources.kinds import HTTP_ROUTE, SERVICE_MONITOR
from orders_operator.resources.observing import service_monitor
from orders_operator.resources.service import service as service_object


class Facts(Struct, frozen=True):
    """What is known of the cluster beside the resource itself.

    Args:
        config_hash: of what is in the Secrets and ConfigMaps that the spec names.
        database_ports: of the database's URL.
        password: for a new embedded PostgreSQL.
        live_secret: of the embedded PostgreSQL, when there is one.
        apis: groups and versions that the cluster serves, of those that are optional.

    """

    config_hash: str
    database_ports: tuple[int, ...]
    password: str
    live_secret: dict[str, Any] | None
    apis: frozenset[str]


def desired(service: OrderService, facts: Facts) -> list[dict[str, Any]]:
    """Return every child that should exist; the same arguments give the same objects."""
    spec = service.spec
    objects = [
        account.service_account(service),
        account.config_map(service),
        service_object(service),
        deployment(service, facts.config_hash),
    ]
    if spec.database.embedded is not None:
        made = postgres.secret(service, facts.password, facts.live_secret)
        objects += [
            made,
            postgres.headless_service(service),
            postgres.stateful_set(service, spec.database.embedded, made),
        ]
    if spec.autoscaling is not None:
        objects.append(scaling.autoscaler(service, spec.autoscaling))
    if scaling.needs_budget(service):
        objects.append(scaling.disruption_budget(service))
    if spec.network_policy.enabled:
        objects.append(network.network_policy(service, facts.database_ports))
        if spec.database.embedded is not None:
            objects.append(network.database_policy(service, postgres.SUFFIX))
    if spec.monitoring.enabled and SERVICE_MONITOR.api_version in facts.apis:
        objects.append(service_monitor(service))
    if spec.expose.ingress is not None:
        objects.append(expose.ingress(service, spec.expose.ingress))
    if spec.expose.http_route is not None and HTTP_ROUTE.api_version in facts.apis:
        objects.append(expose.http_route(service, spec.expose.http_route))
    return objects
