"""An autoscaler that measures: pods come under load, beside a canary, and go without it.

The load is that of `make chaos`, which counts every request.
"""

from typing import Final

import pytest

from tests.chaos.load import load
from tests.chaos.nodes import workers
from tests.e2e.cluster import CommandError, Namespace, order_service, run

NAME: Final = "busy"
MOST: Final = 3
CPU_MILLICORES: Final = 50
PERCENT: Final = 60
RUSH: Final = 500.0
"""Orders a second, for which one pod needs more than the 30 millicores that are aimed at."""
QUIET: Final = 20.0
"""Orders a second that one pod takes without another."""
STEPS: Final = [{"weight": 25, "duration": "15s"}]
ANALYSIS: Final = {"interval": "5s", "minRequests": 20, "failureLimit": 0}
AT_ONCE: Final = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}],
    },
    "scaleDown": {
        "stabilizationWindowSeconds": 15,
        "policies": [{"type": "Pods", "value": 1, "periodSeconds": 15}],
    },
}


@pytest.fixture(scope="module")
def busy(namespace: Namespace) -> str:
    """Have an OrderService that is scaled by what its pods use; its name."""
    try:
        run("kubectl", "get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes")
    except CommandError:
        pytest.skip("the cluster has no metrics-server, without which nothing is scaled by load")
    usage = {"cpu": f"{CPU_MILLICORES}m", "memory": "48Mi"}
    namespace.apply(
        order_service(
            NAME,
            resources={"requests": usage},
            shutdown={"delay": "5s"},
            autoscaling={"min": 1, "max": MOST, "cpu": PERCENT, "behaviour": AT_ONCE},
            rollout={"strategy": "Canary", "canary": {"steps": STEPS, "analysis": ANALYSIS}},
        )
    )
    namespace.wait(f"orderservice/{NAME}", "condition=Ready", 90)
    return NAME


@pytest.mark.timeout(900)
def test_pods_come_under_load_beside_a_canary_and_go_again(
    namespace: Namespace, busy: str
) -> None:
    """Three pods within 150 s, a canary that is judged, one pod again; no request fails."""
    url, node = f"http://{busy}", workers()[0]
    service, deployment = f"orderservice/{busy}", f"deployment/{busy}"
    with load(namespace, url, name="quiet", node=node, rate=QUIET) as quiet:
        with load(namespace, url, name="rush", node=node, rate=RUSH, reads=0) as rush:
            namespace.wait(deployment, f"jsonpath={{.status.readyReplicas}}={MOST}", 150)

            before = namespace.rollout(busy)["stable"]
            change = {"podTemplate": {"env": [{"name": "REQUEST_TIMEOUT", "value": "6s"}]}}
            namespace.patch("orderservice", busy, {"spec": change})
            passed = "jsonpath={.status.rollout.analysis.verdict}=Passed"
            namespace.wait(service, passed, 120)
            found = namespace.rollout(busy)
            assert 20 <= found["analysis"]["canary"]["requests"]
            assert MOST == found["stablePods"]
            autoscaler = namespace.get("horizontalpodautoscaler", busy)
            assert MOST == autoscaler["spec"]["minReplicas"]  # going back costs no capacity

            namespace.wait(service, "condition=Reconciling=false", 240)
            assert "False" == namespace.condition(busy, "Stalled")["status"]
            assert namespace.rollout(busy)["stable"] == found["revision"] != before
            assert 0 == rush.stop().failed, rush.report().failures
        namespace.wait(deployment, "jsonpath={.spec.replicas}=1", 240)
        namespace.until(lambda: 1 == len(namespace.every_pod(busy)), 60, "one pod is left")
        assert 0 == quiet.stop().failed, quiet.report().failures
    namespace.kubectl("delete", "orderservice", busy)
