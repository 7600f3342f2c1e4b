"""How an OrderService is declared whose pods come and go by what they use, within seconds."""

from typing import Final

import pytest

from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import CommandError, run

MOST: Final = 3
RUSH: Final = 500.0
"""Orders a second, for which one pod needs more than the 30 millicores that are aimed at."""
QUIET: Final = 5.0
"""Orders a second that one pod takes without another."""
_CPU_MILLICORES: Final = 50
_PERCENT: Final = 60
_AT_ONCE: Final = {
    "scaleUp": {
        "stabilizationWindowSeconds": 0,
        "policies": [{"type": "Pods", "value": 4, "periodSeconds": 15}],
    },
    "scaleDown": {
        "stabilizationWindowSeconds": 15,
        "policies": [{"type": "Pods", "value": 1, "periodSeconds": 15}],
    },
}


def autoscaled() -> Object:
    """Return fields of a spec: one pod, or up to `MOST` of them.

    Skips the test where no metrics-server says what pods use.
    """
    try:
        run("kubectl", "get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes")
    except CommandError:
        pytest.skip("the cluster has no metrics-server, without which nothing is scaled by load")
    return {
        "resources": {"requests": {"cpu": f"{_CPU_MILLICORES}m", "memory": "48Mi"}},
        "shutdown": {"delay": "5s"},
        "autoscaling": {"min": 1, "max": MOST, "cpu": _PERCENT, "behaviour": _AT_ONCE},
    }
