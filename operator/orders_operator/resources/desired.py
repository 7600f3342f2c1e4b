"""All that an OrderService should consist of: a pure function of the resource and a few facts.

What is not returned is not wanted: the reconcile deletes it.
"""

from typing import Any

from msgspec import Struct

from orders_operator.api.spec import OrderService
from orders_operator.resources import account, expose, network, postgres, scaling
from orders_operator.resources.deployment import canary_deployment, deployment
from orders_operator.resources.kinds import HTTP_ROUTE, SERVICE_MONITOR
from orders_operator.resources.labels import CANARY, STABLE
from orders_operator.resources.observing import service_monitor
from orders_operator.resources.placement import Placement
from orders_operator.resources.revision import controller_revision
from orders_operator.resources.service import service as service_object
from orders_operator.resources.service import track_service


class Facts(Struct, frozen=True):
    """What is known of the cluster beside the resource itself.

    Args:
        database_ports: of the database's URL.
        password: for a new embedded PostgreSQL.
        live_secret: of the embedded PostgreSQL, when there is one.
        apis: groups and versions that the cluster serves, of those that are optional.

    """

    database_ports: tuple[int, ...]
    password: str
    live_secret: dict[str, Any] | None
    apis: frozenset[str]


def splits_requests(service: OrderService, apis: frozenset[str]) -> bool:
    """Whether a Gateway gives canary pods their share of requests exactly."""
    return (
        service.spec.rollout.strategy == "Canary"
        and service.spec.expose.http_route is not None
        and HTTP_ROUTE.api_version in apis
    )


def desired(service: OrderService, facts: Facts, placement: Placement) -> list[dict[str, Any]]:
    """Return every child that should exist; the same arguments give the same objects."""
    spec = service.spec
    objects = [
        account.service_account(service),
        account.config_map(service),
        service_object(service),
        deployment(service, placement.stable),
        *(controller_revision(service, *it) for it in placement.history),
    ]
    if placement.canary is not None:
        objects.append(canary_deployment(service, placement.canary, placement.canary_pods))
    if spec.database.embedded is not None:
        made = postgres.secret(service, facts.password, facts.live_secret)
        objects += [
            made,
            postgres.headless_service(service),
            postgres.stateful_set(service, spec.database.embedded, made),
        ]
    if spec.autoscaling is not None:
        objects.append(scaling.autoscaler(service, spec.autoscaling, placement.floor))
    if scaling.needs_budget(service):
        objects.append(scaling.disruption_budget(service))
    if spec.network_policy.enabled:
        objects.append(network.network_policy(service, facts.database_ports))
        if spec.database.embedded is not None:
            objects.append(network.database_policy(service, postgres.SUFFIX))
    if spec.monitoring.enabled and SERVICE_MONITOR.api_version in facts.apis:
        objects.append(service_monitor(service))
    return objects + _exposed(service, facts, placement)


def _exposed(service: OrderService, facts: Facts, placement: Placement) -> list[dict[str, Any]]:
    """Return how callers outside the cluster find the API."""
    declared = service.spec.expose
    if declared.ingress is not None:
        return [expose.ingress(service, declared.ingress)]
    if declared.http_route is None or HTTP_ROUTE.api_version not in facts.apis:
        return []
    # The Services are there before a canary is declared: a route leads to none without pods.
    split = splits_requests(service, facts.apis)
    return [
        *(track_service(service, track) for track in (STABLE, CANARY)),
        expose.http_route(service, declared.http_route, placement.weight if split else None),
    ]
