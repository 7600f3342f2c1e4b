"""All children that an OrderService should have: a pure function of the resource and a few facts.

Any other child is not wanted: the reconcile deletes it.
"""

from collections.abc import Mapping

from msgspec import Struct

from orders_operator.api.spec import OrderService
from orders_operator.objects import Object
from orders_operator.resources import (
    database_revision,
    expose,
    network,
    postgres,
    scaling,
)
from orders_operator.resources.auth import auth_config
from orders_operator.resources.config_copy import config_copy
from orders_operator.resources.database_revision import DatabaseRevision
from orders_operator.resources.deployment import canary_deployment, deployment
from orders_operator.resources.inherited import inherit
from orders_operator.resources.kinds import HTTP_ROUTE, SERVICE_MONITOR
from orders_operator.resources.labels import CANARY, STABLE, child
from orders_operator.resources.network import Egress
from orders_operator.resources.observing import service_monitor
from orders_operator.resources.placement import Placement
from orders_operator.resources.pod import CONFIG_SUFFIX, LOG_LEVEL
from orders_operator.resources.revision import controller_revision
from orders_operator.resources.schemes import Schemes
from orders_operator.resources.service import service as service_object
from orders_operator.resources.service import track_service


class Database(Struct, frozen=True):
    """An embedded PostgreSQL that is declared or in use, and the Secret with its password.

    It has one pod, or none while the operator removes a stuck pod that the StatefulSet would never
    replace.
    """

    revision: DatabaseRevision
    secret: Object
    replicas: int = 1


class Facts(Struct, frozen=True):
    """What must be known besides the resource itself.

    Args:
        apis: groups and versions of optional APIs that the cluster serves.
        placement: which revision runs on which track; None while that must not be touched.
        weight: the share of requests, in percent, that a Gateway gives to canary pods.
        floor: how many stable pods an autoscaler must leave.
        begins: whether the Deployment of the stable pods has yet to be created.
        database: the embedded PostgreSQL, if there is one.
        egress: where pods in use connect to; None while that is unknown.
        schemes: the schemes of pods in use.
        auth: the files that tell pods whose tokens to accept; None to leave them as they are.
        metrics_key: the Secret with the API key of the metrics; None if nobody needs one.

    """

    apis: frozenset[str]
    placement: Placement | None
    weight: int = 0
    floor: int = 0
    begins: bool = False
    database: Database | None = None
    egress: Egress | None = None
    schemes: Schemes = Schemes()
    auth: Mapping[str, str] | None = None
    metrics_key: Object | None = None


def splits_requests(service: OrderService, apis: frozenset[str]) -> bool:
    """Whether a Gateway gives canary pods their exact share of requests."""
    return (
        service.spec.rollout.strategy == "Canary"
        and service.spec.expose.http_route is not None
        and HTTP_ROUTE.api_version in apis
    )


def desired(service: OrderService, facts: Facts) -> list[Object]:
    """Return every child that should exist; the same arguments give the same objects."""
    spec = service.spec
    objects = [
        _service_account(service),
        _config_map(service),
        service_object(service, facts.schemes),
        *_database(service, facts),
        *_pods(service, facts),
    ]
    if facts.auth is not None:
        objects.append(auth_config(service, facts.auth))
    if facts.metrics_key is not None:
        objects.append(facts.metrics_key)
    if spec.autoscaling is not None:
        objects.append(scaling.autoscaler(service, spec.autoscaling, facts.floor))
    if scaling.needs_budget(service):
        objects.append(scaling.disruption_budget(service))
    if spec.network_policy.enabled and facts.egress is not None:
        objects.append(network.network_policy(service, facts.egress))
    if spec.monitoring.enabled and SERVICE_MONITOR.api_version in facts.apis:
        objects.append(service_monitor(service, key=facts.metrics_key is not None))
    return [inherit(service, obj) for obj in objects + _exposed(service, facts)]


def _service_account(service: OrderService) -> Object:
    """Return an account without a token: the service does not use the Kubernetes API."""
    return child(service, "v1", "ServiceAccount", automountServiceAccountToken=False)


def _config_map(service: OrderService) -> Object:
    """Return the settings that may change while pods run; the service watches the file."""
    data = {LOG_LEVEL: service.spec.log_level}
    return child(service, "v1", "ConfigMap", suffix=CONFIG_SUFFIX, data=data)


def _pods(service: OrderService, facts: Facts) -> list[Object]:
    """Return the revisions, their copies of ConfigMaps, and the Deployments."""
    placement, scaled = facts.placement, service.spec.autoscaling
    if placement is None:
        return []
    first = scaling.least(scaled, facts.floor) if scaled is not None and facts.begins else None
    objects = [
        *(controller_revision(service, *entry) for entry in placement.history),
        *(
            config_copy(service, running.revision.copy, running.copied)
            for running in {track.revision.hash: track for track in placement.tracks}.values()
            if running.revision.copy and running.copied is not None
        ),
        deployment(service, placement.stable, first),
    ]
    if placement.canary is not None:
        objects.append(canary_deployment(service, placement.canary, placement.canary_pods))
    return objects


def _database(service: OrderService, facts: Facts) -> list[Object]:
    """Return the objects of the embedded PostgreSQL."""
    if facts.database is None:
        return []
    found = facts.database
    revision, secret = found.revision, found.secret
    objects = [
        secret,
        postgres.headless_service(service),
        database_revision.controller_revision(service, revision),
        postgres.stateful_set(service, revision, secret, found.replicas),
    ]
    if service.spec.network_policy.enabled:
        name = postgres.database_name(service)
        objects.append(network.database_policy(service, name))
    return objects


def _exposed(service: OrderService, facts: Facts) -> list[Object]:
    """Return the objects by which callers outside the cluster reach the API."""
    declared = service.spec.expose
    if declared.ingress is not None:
        return [expose.ingress(service, declared.ingress, facts.schemes)]
    if declared.http_route is None:
        return []
    # The Services exist before a canary does; a route sends no requests to one without pods.
    services = [track_service(service, track, facts.schemes) for track in (STABLE, CANARY)]
    if HTTP_ROUTE.api_version not in facts.apis:
        return services
    split = splits_requests(service, facts.apis)
    weight = facts.weight if split else None
    route = expose.http_route(service, declared.http_route, facts.schemes, weight)
    return [*services, route]
