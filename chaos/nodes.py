"""The nodes under the pods: kind's nodes are containers, so docker reaches what they run."""

from collections.abc import Iterator
from contextlib import contextmanager

from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import CommandError, Namespace, run

CONTROL_PLANE = "orders-control-plane"
_MANIFEST = "/etc/kubernetes/manifests/kube-apiserver.yaml"
_AWAY = "/etc/kubernetes/kube-apiserver.yaml"


def workers() -> list[str]:
    """Return the nodes that pods run on."""
    named = run("kubectl", "get", "nodes", "--selector=!node-role.kubernetes.io/control-plane",
                "-o", "name")  # fmt: skip
    return sorted(line.removeprefix("node/") for line in named.split())


def on(node: str, script: str, limit: float = 60) -> str:
    """Run a shell script on a node."""
    return run("docker", "exec", node, "sh", "-ec", script, limit=limit)


def process(pod: Object) -> int:
    """Return the pid, on its node, of the first process of a pod's container."""
    container = pod["status"]["containerStatuses"][0]["containerID"].rpartition("/")[2]
    template = "{{.info.pid}}"
    told = on(
        pod["spec"]["nodeName"],
        f"crictl inspect --output go-template --template '{template}' {container}",
    )
    return int(told)


def kill(pod: Object) -> None:
    """End a pod's first process by SIGKILL: it can neither finish nor say anything."""
    on(pod["spec"]["nodeName"], f"kill -9 {process(pod)}")


@contextmanager
def api_server_away() -> Iterator[None]:
    """Stop the API server; it is back, and answers, afterwards."""
    on(CONTROL_PLANE, f"mv {_MANIFEST} {_AWAY}")
    default = Namespace("default")
    try:
        default.until(lambda: not _runs("kube-apiserver"), 60, "the API server is gone")
        yield
    finally:
        on(CONTROL_PLANE, f"mv {_AWAY} {_MANIFEST}")
        default.until(_answers, 120, "the API server is back")


def _runs(container: str) -> bool:
    return bool(on(CONTROL_PLANE, f"crictl ps --quiet --name {container}").strip())


def _answers() -> bool:
    try:
        run("kubectl", "get", "--raw", "/readyz", "--request-timeout=2s", limit=5)
    except CommandError:
        return False
    return True


@contextmanager
def drained(node: str) -> Iterator[None]:
    """Move every pod off a node, as before its maintenance; they may come back afterwards."""
    try:
        run("kubectl", "drain", node, "--ignore-daemonsets", "--delete-emptydir-data", "--force",
            "--timeout=150s", limit=170)  # fmt: skip
        yield
    finally:
        run("kubectl", "uncordon", node)
