"""Obstacles to the operator from others: a webhook, a quota, a policy, no Prometheus."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from tests.helpers.cluster.kubectl import CommandError, Namespace, run
from tests.helpers.unanswered_webhook import webhook

if TYPE_CHECKING:
    from orders_operator.objects import Object

_PROMETHEUS: Final = "app.kubernetes.io/name=prometheus"


@contextmanager
def webhook_away(namespace: Namespace, plural: str) -> Iterator[None]:
    """Have every write of a kind refused, because its webhook does not answer."""
    made = webhook(namespace.name, plural, "*")
    name = made["metadata"]["name"]
    namespace.apply(made)
    try:
        namespace.until(lambda: not _takes(namespace, plural), 30, "the webhook is asked")
        yield
    finally:
        run("kubectl", "delete", "validatingwebhookconfiguration", name)
    namespace.until(lambda: _takes(namespace, plural), 30, "the webhook is asked no more")


@contextmanager
def pods_quota(namespace: Namespace) -> Iterator[None]:
    """Have a quota let in no pod more than there are."""
    count = {"hard": {"count/pods": str(len(namespace.every("pods")))}}
    quota: Object = {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": {"name": "full"}}
    namespace.apply(quota | {"spec": count})
    try:
        namespace.wait("resourcequota/full", "jsonpath={.status.used}", 30)
        yield
    finally:
        namespace.kubectl("delete", "resourcequota", "full")


@contextmanager
def metrics_hidden(namespace: Namespace, service: str) -> Iterator[None]:
    """Have nobody reach the metrics of an OrderService's canary; its API is open.

    The OrderService must have no policy of its own.
    """
    track = {"app.kubernetes.io/instance": service, "orders.dev/track": "canary"}
    policy: Object = {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "no-metrics"},
        "spec": {
            "podSelector": {"matchLabels": track},
            "policyTypes": ["Ingress"],
            "ingress": [{"ports": [{"port": "http", "protocol": "TCP"}]}],
        },
    }
    namespace.apply(policy)
    try:
        yield
    finally:
        namespace.kubectl("delete", "networkpolicy", "no-metrics")


@contextmanager
def prometheus_away(monitored: Namespace) -> Iterator[None]:
    """Have no Prometheus for a while."""
    monitored.patch("prometheus", "all", {"spec": {"replicas": 0}})
    try:
        monitored.until(lambda: not monitored.every("pods", _PROMETHEUS), 90, "it is gone")
        yield
    finally:
        monitored.patch("prometheus", "all", {"spec": {"replicas": 1}})
    monitored.wait("prometheus/all", "condition=Available", 120)


def _takes(namespace: Namespace, plural: str) -> bool:
    """Whether a write of some object of the kind would be taken."""
    name = namespace.every(plural)[0]["metadata"]["name"]
    change = json.dumps({"metadata": {"annotations": {"tried": "true"}}})
    try:
        namespace.kubectl(
            "patch", plural, name, "--type=merge", f"--patch={change}", "--dry-run=server"
        )
    except CommandError:
        return False
    return True
