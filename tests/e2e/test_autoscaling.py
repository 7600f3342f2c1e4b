"""An autoscaler that measures: pods come under load, beside a canary, and go without it.

The load is that of `make chaos`, which counts every request. This file is long, but does not start
early: it asks for much CPU, so that short files run beside it.
"""

from typing import Final

import pytest

from chaos.load import load
from chaos.nodes import workers
from tests.helpers.cluster.autoscaling import MOST, QUIET, RUSH, autoscaled
from tests.helpers.cluster.kubectl import Namespace, order_service

NAME: Final = "busy"
STEPS: Final = [{"weight": 25, "duration": "15s"}]
ANALYSIS: Final = {"interval": "5s", "minRequests": 20, "failureLimit": 0}


@pytest.fixture(scope="module")
def busy(namespace: Namespace) -> str:
    """Have an OrderService that is scaled by what its pods use; its name."""
    canary = {"steps": STEPS, "analysis": ANALYSIS}
    rollout = {"strategy": "Canary", "canary": canary}
    namespace.apply(order_service(NAME, **autoscaled(), rollout=rollout))
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
