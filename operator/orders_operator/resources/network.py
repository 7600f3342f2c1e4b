"""The NetworkPolicies of pods and of the embedded PostgreSQL, and the ports that URLs name."""

from typing import Any, Final
from urllib.parse import unquote, urlsplit

from msgspec import Struct

from orders_operator.api.spec import OrderService
from orders_operator.resources.labels import API, DATABASE, child, selector
from orders_operator.resources.names import named
from orders_operator.resources.service import HTTP_PORT, METRICS_PORT

POSTGRES_PORT: Final = 5432
_DNS: Final = 53
_PORTS: Final = range(1, 65536)


class Egress(Struct, frozen=True):
    """Where pods in use connect to: the union of both tracks, including terminating pods.

    Args:
        ports: the ports of databases, collectors and issuers of tokens, at any address.
        embedded: whether any of the pods uses the embedded PostgreSQL.

    """

    ports: tuple[int, ...] = ()
    embedded: bool = False


def network_policy(service: OrderService, out: Egress) -> dict[str, Any]:
    """Return the NetworkPolicy of the service's pods.

    Ingress: the API from those that the spec names, else from everywhere; metrics from everywhere.
    Probes come from the node, which network plugins admit whatever a policy says. Egress: DNS,
    databases, collectors, issuers, and what the spec adds.
    """
    policy = service.spec.network_policy
    callers: dict[str, Any] = {"from": list(policy.from_)} if policy.from_ else {}
    egress: list[dict[str, Any]] = [{"ports": [_port(_DNS, "UDP"), _port(_DNS)]}]
    if out.embedded:
        egress.append(_to_database(service))
    if out.ports:  # a rule with no ports would let everything out
        egress.append({"ports": [_port(port) for port in out.ports]})
    return child(
        service,
        "networking.k8s.io/v1",
        "NetworkPolicy",
        spec={
            "podSelector": {"matchLabels": selector(service, API)},
            "policyTypes": ["Ingress", "Egress"],
            "ingress": [
                {**callers, "ports": [_port(HTTP_PORT)]},
                {"ports": [_port(METRICS_PORT)]},
            ],
            "egress": [*egress, *policy.to],
        },
    )


def open_ports(policy: dict[str, Any]) -> frozenset[int]:
    """Return the ports that a NetworkPolicy opens to every address, except DNS."""
    rules = (policy.get("spec") or {}).get("egress") or []
    ports = [port for rule in rules if not rule.get("to") for port in rule.get("ports") or []]
    numbers = {port.get("port") for port in ports if port.get("protocol", "TCP") == "TCP"}
    return frozenset(port for port in numbers if isinstance(port, int) and port != _DNS)


def port_of(url: str) -> int | None:
    """Return the port of an http or https URL; None if its port is invalid."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        return None
    return port or (443 if parts.scheme == "https" else 80)


def database_ports(url: str) -> tuple[int, ...]:
    """Return the ports of all hosts in a database URL; 5432 for hosts without one."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return (POSTGRES_PORT,)
    hosts = parts.netloc.rpartition("@")[2].split(",")
    asked = dict(pair.partition("=")[::2] for pair in parts.query.split("&"))
    default = [text for text in unquote(asked.get("port", "")).split(",") if text]
    texts = [port for host in hosts for port in ([_port_in(host)] if _port_in(host) else default)]
    if not all(_port_in(host) for host in hosts) and not default:
        texts.append(str(POSTGRES_PORT))
    return tuple(sorted({int(text) for text in texts if _is_port(text)})) or (POSTGRES_PORT,)


def database_policy(service: OrderService, name: str) -> dict[str, Any]:
    """Return the NetworkPolicy of the embedded PostgreSQL: only the service's pods may connect."""
    made = child(
        service,
        "networking.k8s.io/v1",
        "NetworkPolicy",
        component=DATABASE,
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
    return named(name, made)


def _to_database(service: OrderService) -> dict[str, Any]:
    return {
        "to": [{"podSelector": {"matchLabels": selector(service, DATABASE)}}],
        "ports": [_port(POSTGRES_PORT)],
    }


def _port(port: int, protocol: str = "TCP") -> dict[str, Any]:
    return {"port": port, "protocol": protocol}


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) in _PORTS


def _port_in(host: str) -> str:
    """Return the port of `host:port`, or of an address in brackets."""
    _, colon, port = host.rpartition("]")[2].rpartition(":")
    return port if colon else ""
