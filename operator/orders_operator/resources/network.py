"""Who may talk to whom."""

from typing import Any, Final

from orders_operator.api.spec import OrderService
from orders_operator.resources.labels import API, DATABASE, child, selector
from orders_operator.resources.observing import collector_port
from orders_operator.resources.service import HTTP, METRICS

POSTGRES_PORT: Final = 5432
_DNS: Final = 53


def network_policy(service: OrderService, database_ports: tuple[int, ...]) -> dict[str, Any]:
    """Return the NetworkPolicy of the service's pods.

    In: the API from whom the spec names, else from everybody; metrics from everybody.
    Probes come from the node, which networks let in whatever a policy says.
    Out: DNS, the database, the collector, and what the spec adds.
    """
    policy = service.spec.network_policy
    callers: dict[str, Any] = {"from": list(policy.from_)} if policy.from_ else {}
    egress: list[dict[str, Any]] = [
        {"ports": [_port(_DNS, "UDP"), _port(_DNS)]},
        _to_database(service, database_ports),
    ]
    tracing = service.spec.tracing
    if tracing is not None and tracing.enabled:
        egress.append({"ports": [_port(collector_port(tracing))]})
    return child(
        service,
        "networking.k8s.io/v1",
        "NetworkPolicy",
        spec={
            "podSelector": {"matchLabels": selector(service, API)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {**callers, "ports": [_port(HTTP)]},
                {"ports": [_port(METRICS)]},
            ],
            "egress": [*egress, *policy.to],
        },
    )


def database_policy(service: OrderService, suffix: str) -> dict[str, Any]:
    """Return the NetworkPolicy of the embedded PostgreSQL: in come the service's pods."""
    return child(
        service,
        "networking.k8s.io/v1",
        "NetworkPolicy",
        component=DATABASE,
        suffix=suffix,
        spec={
            "podSelector": {"matchLabels": selector(service, DATABASE)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {
                    "from": [{"podSelector": {"matchLabels": selector(service, API)}}],
                    "ports": [_port(POSTGRES_PORT)],
                }
            ],
        },
    )


def _to_database(service: OrderService, ports: tuple[int, ...]) -> dict[str, Any]:
    if service.spec.database.embedded is None:
        return {"ports": [_port(port) for port in ports]}
    return {
        "to": [{"podSelector": {"matchLabels": selector(service, DATABASE)}}],
        "ports": [_port(POSTGRES_PORT)],
    }


def _port(port: int | str, protocol: str = "TCP") -> dict[str, Any]:
    return {"port": port, "protocol": protocol}
