"""What is said of pods that take no requests."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders_operator.objects import Object
from orders_operator.rollout.pods import ready
from orders_operator.rollout.unready import lacking, runs_unready

NOT_READY = {"type": "Ready", "status": "False"}
DONE = {"name": "migrate", "state": {"terminated": {"exitCode": 0}}}
RUNS = {"name": "orders", "started": True, "state": {"running": {}}}
WAITS = {"waiting": {"reason": "PodInitializing"}}


def pod(name: str = "shop-1", **fields: Any) -> Object:
    """Return a pod that is not ready: containers, conditions, init containers, and its spec."""
    status = {
        "conditions": [*fields.get("conditions", ()), NOT_READY],
        "initContainerStatuses": fields.get("first", ()),
        "containerStatuses": fields.get("containers", ()),
    }
    return {
        "metadata": {"name": name, "uid": name},
        "spec": fields.get("spec", {}),
        "status": status,
    }


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (
            pod(conditions=[{"type": "PodScheduled", "status": "False", "message": "no node."}]),
            "no node",
        ),
        (
            pod(conditions=[{"type": "PodScheduled", "status": "False"}]),
            "no node has been found for it",
        ),
        (
            pod(first=[{"name": "migrate", "state": {"running": {}}}]),
            "init container migrate is still running",
        ),
        (
            pod(first=[{"name": "migrate", "state": WAITS}]),
            "init container migrate is waiting: PodInitializing",
        ),
        (
            pod(first=[{"name": "migrate", "state": {"terminated": {"exitCode": 3}}}]),
            "init container migrate has ended: exit status 3",
        ),
        (
            pod(first=[DONE], containers=[RUNS | {"started": False}]),
            "container orders is running but has not started up",
        ),
        (
            pod(first=[DONE], containers=[RUNS]),
            "container orders is running but not ready",
        ),
        (
            pod(
                spec={"initContainers": [{"name": "proxy", "restartPolicy": "Always"}]},
                first=[{"name": "proxy", "started": True, "state": {"running": {}}}, DONE],
                containers=[RUNS],
            ),
            "container orders is running but not ready",
        ),
        (
            pod(
                spec={"initContainers": [{"name": "proxy", "restartPolicy": "Always"}]},
                first=[{"name": "proxy", "started": False, "state": {"running": {}}}],
            ),
            "init container proxy is running but has not started up",
        ),
        (
            pod(
                containers=[
                    RUNS | {"ready": True},
                    {
                        "name": "mesh",
                        "state": {
                            "waiting": {"reason": "CreateContainerError", "message": "a\nb"}
                        },
                    },
                ]
            ),
            "container mesh is waiting: CreateContainerError: a b",
        ),
        (
            pod(
                spec={"readinessGates": [{"conditionType": "balancer"}]},
                containers=[RUNS | {"ready": True}],
                conditions=[{"type": "balancer", "status": "False", "message": "no target"}],
            ),
            "its readiness gate balancer: no target",
        ),
        (
            pod(
                spec={"readinessGates": [{"conditionType": "balancer"}]},
                containers=[RUNS | {"ready": True}],
            ),
            "its readiness gate balancer: it has not been met yet",
        ),
        (
            {
                "metadata": {"name": "shop-1", "uid": "1"},
                "status": {"conditions": [NOT_READY | {"reason": "NodeStatusUnknown"}]},
            },
            "NodeStatusUnknown",
        ),
        ({"metadata": {"name": "shop-1", "uid": "1"}}, "no kubelet has reported on it yet"),
    ],
)
def test_what_keeps_a_pod_is_told(found: Object, said: str) -> None:
    """The first thing that is not done, in the words of whoever knows."""
    assert f"shop-1: {said}." == lacking([found], {})


def test_what_readiness_answers_is_told_of_the_service() -> None:
    """Not of a sidecar that is not ready, nor of a pod that is something else's matter."""
    mesh = {"name": "mesh", "started": True, "state": {"running": {}}}
    answers = {"a": "/readyz answers 503", "b": "/readyz answers 200"}
    own = pod("a", containers=[RUNS])
    other = pod("b", containers=[RUNS | {"ready": True}, mesh])
    assert lacking([own, other], answers) == (
        "a: container orders is running but not ready, /readyz answers 503;"
        " b: container mesh is running but not ready."
    )
    assert [True, False] == [runs_unready(own), runs_unready(other)]


def test_pods_with_one_reason_are_told_together() -> None:
    """Three are named, the one that waits longest first."""
    pods = [pod(f"shop-{number}", containers=[RUNS]) for number in range(5)]
    for number, it in enumerate(reversed(pods)):
        it["metadata"]["creationTimestamp"] = f"2026-01-02T03:04:0{number}Z"
    assert lacking(pods, {}) == (
        "shop-4, shop-3, shop-2 and 2 more: container orders is running but not ready."
    )


states = st.dictionaries(
    st.sampled_from(["running", "waiting", "terminated"]),
    st.dictionaries(st.sampled_from(["reason", "message"]), st.text(max_size=9)),
    max_size=1,
)
containers = st.lists(
    st.fixed_dictionaries(
        {"name": st.sampled_from(["orders", "migrate", "mesh"]), "state": states},
        optional={"ready": st.booleans(), "started": st.booleans()},
    ),
    max_size=3,
)
conditions = st.lists(
    st.fixed_dictionaries(
        {
            "type": st.sampled_from(["Ready", "PodScheduled"]),
            "status": st.sampled_from(["True", "False", "Unknown"]),
        },
        optional={"message": st.text(max_size=9)},
    ),
    max_size=2,
)


@given(first=containers, own=containers, said=conditions)
def test_whatever_a_status_says_a_pod_that_is_not_ready_has_a_reason(
    first: list[Object], own: list[Object], said: list[Object]
) -> None:
    """One line of it; and a ready one has none."""
    status = {"conditions": said, "initContainerStatuses": first, "containerStatuses": own}
    found = {"metadata": {"name": "shop-1", "uid": "1"}, "status": status}
    told = lacking([found], {})
    assert ready(found) == (told is None)
    if told is not None:
        assert 1 == len(told.splitlines())
        assert len("shop-1: .") < len(told)
