"""Operators that render pods otherwise, as those of another release do, in place of our own."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from orders_operator.objects import Object
from tests.e2e.images.build import OTHERWISE
from tests.helpers.cluster.kubectl import OPERATOR, Namespace, helm
from tests.helpers.cluster.release import RELEASE

USUAL: Final = "orders/operator"
_STAYS: Final = ("phase", "revision", "stable", "canary", "step", "failed")


@contextmanager
def otherwise(default: Namespace) -> Iterator[None]:
    """Upgrade the release to them; back to our own afterwards."""
    try:
        _upgrade(default, OTHERWISE)
        yield
    finally:
        _upgrade(default, USUAL)


def _upgrade(default: Namespace, repository: str) -> None:
    """Return when operators of an image are there, and no other is, not even on its way out."""
    image = f"--set=operator.image.repository={repository}"
    helm("upgrade", RELEASE, "charts/orders", "--reuse-values", image)
    default.kubectl("rollout", "status", f"deployment/{OPERATOR}", "--timeout=120s")

    def alone() -> bool:
        pods = default.every("pods", "app.kubernetes.io/component=operator")
        images = (pod["spec"]["containers"][0]["image"] for pod in pods)
        return {repository} == {image.rpartition(":")[0] for image in images}

    default.until(alone, 60, f"only operators of {repository} are there")


def reconciled(namespace: Namespace, *services: str) -> None:
    """Return when the operator has looked at each: what was deleted of it is there again."""
    for name in services:
        namespace.kubectl("delete", "configmap", f"{name}-config")
    for name in services:
        namespace.wait(f"configmap/{name}-config", "create", 60)


def state(namespace: Namespace, service: str) -> Object:
    """Return what no upgrade may change: pods, what they are made of, and where a rollout is."""
    labels = f"app.kubernetes.io/instance={service}"
    sets = namespace.every("deployments,statefulsets", labels)
    pods = namespace.every("pods", labels)
    return {
        "templates": {it["metadata"]["name"]: it["spec"]["template"] for it in sets},
        "pods": {it["metadata"]["uid"] for it in pods},
        "rollout": {it: namespace.rollout(service).get(it) for it in _STAYS},
    }


def timeouts(spec: Object) -> set[int]:
    """Return the time-outs of the probes in the spec of a pod."""
    return {
        probe["timeoutSeconds"]
        for container in spec["containers"]
        for name, probe in container.items()
        if name.endswith("Probe")
    }
