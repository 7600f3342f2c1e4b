"""Metrics with a credential, as the kubelet and the operator of a real cluster see it.

The scrapes go straight to a pod's port, with the credential as Prometheus sends it.
"""

import base64
import contextlib
import http.client
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Final

import pytest

from tests.helpers.cluster.kubectl import Namespace, order_service
from tests.helpers.cluster.outside_caller import Caller
from tests.helpers.cluster.page_reader import Reader
from tests.helpers.page_blocks import block

if TYPE_CHECKING:
    from orders_operator.objects import Object

NAME: Final = "closed"
SECRET: Final = f"{NAME}-metrics"
REVOKED: Final = 120.0
"""Seconds from a change of the Secret until every pod has it."""
_ANALYSIS: Final = {"interval": "15s", "minRequests": 10}
_CANARY: Final = {
    "strategy": "Canary",
    "canary": {"steps": [{"weight": 50, "duration": "5s"}], "analysis": _ANALYSIS},
    "bake": "5s",
}
_FORWARDED: Final = re.compile(rb"127\.0\.0\.1:(\d+) ")


@pytest.fixture(scope="module")
def closed(namespace: Namespace) -> Iterator[str]:
    """Have an OrderService whose API is open and whose metrics are not; its name."""
    spec: Object = {"monitoring": {"auth": True}, "rollout": _CANARY}
    namespace.apply(order_service(NAME, **spec))
    namespace.rolled_out(NAME, 90)
    yield NAME
    namespace.kubectl("delete", "orderservice", NAME, "--ignore-not-found")


@contextlib.contextmanager
def metrics_port(namespace: Namespace, pod: str) -> Iterator[int]:
    """Have the metrics port of a pod on a port of this machine."""
    command = ("kubectl", "--namespace", namespace.name, "port-forward", f"pod/{pod}", ":2121")
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as forward:
        try:
            assert forward.stdout is not None
            said = forward.stdout.readline()
            found = _FORWARDED.search(said)
            assert found is not None, said
            yield int(found[1])
        finally:
            forward.terminate()


def status(port: int, path: str, key: str | None = None) -> int:
    """Ask a pod's metrics port, with a key as Prometheus sends it; return the status."""
    headers = {} if key is None else {"authorization": f"Bearer {key}"}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()


def key_of(namespace: Namespace) -> str:
    """Return the API key that Prometheus is given."""
    data = namespace.get("secret", SECRET)["data"]
    return base64.b64decode(data["key"]).decode()


def test_metrics_are_shown_with_the_key_alone(
    namespace: Namespace, closed: str, tmp_path: Path
) -> None:
    """Pods are ready, as probes are open; the key is in no pod, and in no log of one."""
    [pod] = namespace.pods(closed)
    key = key_of(namespace)
    with metrics_port(namespace, pod["metadata"]["name"]) as port:
        assert [200, 401, 401, 200] == [
            status(port, "/readyz"),
            status(port, "/metrics"),
            status(port, "/metrics", "orders_another"),
            status(port, "/metrics", key),
        ]
    by_hand = block("docs/kubernetes.md", "kubectl port-forward deployment/shop")
    shown = Reader(namespace.name, tmp_path).paste(by_hand, {"shop": closed})
    assert "http_server_request_duration_seconds" in shown
    assert key not in str(pod)
    assert key not in namespace.kubectl("logs", pod["metadata"]["name"])


def test_a_canary_is_judged_by_metrics_that_are_closed(namespace: Namespace, closed: str) -> None:
    """The operator reads the pods of both tracks with the key, and lets the canary in."""
    with Caller(namespace, closed):
        change: Object = {"podTemplate": {"env": [{"name": "REQUEST_TIMEOUT", "value": "6s"}]}}
        namespace.patch("orderservice", closed, {"spec": change})
        passed = "jsonpath={.status.rollout.analysis.verdict}=Passed"
        namespace.wait(f"orderservice/{closed}", passed, 120)
        namespace.rolled_out(closed, 90)


def test_a_stolen_key_is_refused_in_time(namespace: Namespace, closed: str) -> None:
    """The Secret is deleted: another key is made, pods refuse the old one, and nothing rolls."""
    [pod] = namespace.pods(closed)
    old = key_of(namespace)
    namespace.kubectl("delete", "secret", SECRET)
    namespace.until(lambda: namespace.exists("secret", SECRET), 15, "the Secret is made anew")
    new = key_of(namespace)
    assert old != new
    # A kubelet looks at once at a pod that changes, at others every minute or so.
    namespace.kubectl("annotate", "pod", pod["metadata"]["name"], "looked=at")
    with metrics_port(namespace, pod["metadata"]["name"]) as port:

        def taken() -> bool:
            return [status(port, "/metrics", key) for key in (old, new)] == [401, 200]

        namespace.until(taken, REVOKED, "the new key is taken, and the old one is not")
    assert [pod["metadata"]["uid"]] == [it["metadata"]["uid"] for it in namespace.pods(closed)]
