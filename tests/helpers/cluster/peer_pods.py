"""Pods that no policy guards, which ask what policies let through, and the ports that they have.

A port that is refused has somebody who listens there, and somebody else who reaches him.
"""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final, NamedTuple

from tests.helpers.cluster.kubectl import Namespace, run
from tests.helpers.cluster.packets import Place, peer

HTTP: Final = 8000
METRICS: Final = 2121
DATABASE: Final = 5432
COLLECTOR: Final = 4318
PROMETHEUS: Final = 9090
OTHER: Final = 7777
"""A port of which no policy speaks."""
PORTS: Final = (HTTP, METRICS, DATABASE, COLLECTOR, PROMETHEUS, OTHER)
FRIENDS: Final = {"podSelector": {"matchLabels": {"caller": "yes"}}}
NAME: Final = "kubernetes.default.svc"
"""A name that DNS knows."""


class Peers(NamedTuple):
    """Pods without policies that listen on PORTS: one with the label of a caller, two without."""

    friend: Place
    stranger: Place
    outsider: Place
    """In another namespace."""


@contextmanager
def unguarded(namespace: Namespace) -> Iterator[Peers]:
    """Run them."""
    other = Namespace(f"{namespace.name}-{uuid.uuid4().hex[:4]}")
    run("kubectl", "create", "namespace", other.name)
    yield Peers(
        peer(namespace, "friend", *PORTS, caller="yes"),
        peer(namespace, "stranger", *PORTS),
        peer(other, "outsider", *PORTS),
    )
    run("kubectl", "delete", "namespace", other.name, "--wait=false")


def api_server() -> str:
    """Return where the API server is, for pods."""
    return f"{Namespace('default').get('service', 'kubernetes')['spec']['clusterIP']}:443"


def dns() -> str:
    """Return where DNS is, over TCP."""
    return f"{Namespace('kube-system').get('service', 'kube-dns')['spec']['clusterIP']}:53"
