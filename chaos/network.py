"""A slow network to PostgreSQL: by netem if the kernel has it, otherwise through a proxy."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from chaos import nodes
from chaos.load import IMAGE
from chaos.postgresql import Server
from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import CommandError, Namespace
from tests.helpers.cluster.postgresql import PORT
from tests.helpers.cluster.workloads import service

_NAME: Final = "delay"
_PROXY: Final = Path(__file__).parent / "images" / "delay" / "delay.py"


class Slow(NamedTuple):
    """The host at which the server is reached slowly, and the cause of the delay."""

    host: str
    how: str


@contextmanager
def delayed(namespace: Namespace, server: Server, milliseconds: int) -> Iterator[Slow]:
    """Have each round trip to a server take so much longer."""
    try:
        _netem(server, f"add dev eth0 root netem delay {milliseconds}ms")
    except CommandError as error:
        if "qdisc kind is unknown" not in str(error):
            raise
        with _proxied(namespace, server, milliseconds) as slow:
            yield slow
        return
    try:
        yield Slow(f"{server.name}.{namespace.name}.svc", "tc netem on PostgreSQL's pod")
    finally:
        _netem(server, "del dev eth0 root")


def _netem(server: Server, what: str) -> None:
    """Change the queue of the server's pod, whose network is that of its first process."""
    pod = server.pod
    nodes.on(server.node, f"nsenter --net=/proc/{nodes.process(pod)}/ns/net tc qdisc {what}")


@contextmanager
def _proxied(namespace: Namespace, server: Server, milliseconds: int) -> Iterator[Slow]:
    script = {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": _NAME},
        "data": {_PROXY.name: _PROXY.read_text("utf-8")},
    }
    namespace.apply(script, _pod(server, milliseconds / 1000), service(_NAME, PORT))
    try:
        namespace.wait(f"pod/{_NAME}", "condition=Ready", 60)
        how = "a proxy that delays, as this kernel has no netem"
        yield Slow(f"{_NAME}.{namespace.name}.svc", how)
    finally:
        namespace.kubectl("delete", "pod,service,configmap", _NAME, "--grace-period=1")


def _pod(server: Server, seconds: float) -> Object:
    """Return a pod with the operator's image, for the Python in it."""
    path = f"/etc/delay/{_PROXY.name}"
    container = {
        "name": _NAME,
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "command": ["python3.13", path, f"{seconds:g}", server.name, str(PORT)],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "50m", "memory": "32Mi"}},
        "volumeMounts": [{"name": "script", "mountPath": "/etc/delay"}],
    }
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": _NAME, "labels": {"app": _NAME}},
        "spec": {
            "nodeName": server.node,
            "enableServiceLinks": False,
            "containers": [container],
            "volumes": [{"name": "script", "configMap": {"name": _NAME}}],
        },
    }
