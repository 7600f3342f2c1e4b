"""What is understood of objects as the API server has them."""

import pytest
from msgspec import json

from orders_operator.objects import Object
from orders_operator.plugin import Refused
from orders_operator.plugin.pods import pod_of
from orders_operator.plugin.snapshot import ServiceSnapshot
from orders_operator.plugin.view import view
from tests.helpers.operator.cluster_objects import (
    NEW,
    OLD,
    UNREADY,
    ago,
    canary_pod,
    event,
    on,
    pod,
    service,
)
from tests.helpers.operator.rollout_scenes import (
    first_step,
    retained,
    rolled_back,
    rolling,
    stable,
)


def waiting(name: str, reason: str) -> Object:
    """Return the status of a container that waits."""
    return {"name": name, "restartCount": 2, "state": {"waiting": {"reason": reason}}}


@pytest.mark.parametrize(
    ("status", "expected"),
    [
        ({}, "ready"),
        (UNREADY, "not ready"),
        (UNREADY | {"phase": "Pending"}, "Pending"),
        (UNREADY | {"phase": "Failed", "reason": "Evicted"}, "Evicted"),
        (
            UNREADY | {"containerStatuses": [waiting("orders", "ImagePullBackOff")]},
            "ImagePullBackOff",
        ),
        (
            UNREADY
            | {
                "initContainerStatuses": [waiting("migrate", "CrashLoopBackOff")],
                "containerStatuses": [waiting("orders", "PodInitializing")],
            },
            "Init:CrashLoopBackOff",
        ),
        (
            UNREADY
            | {
                "containerStatuses": [{"name": "orders", "state": {"terminated": {"exitCode": 3}}}]
            },
            "exit 3",
        ),
    ],
)
def test_the_state_of_a_pod(status: Object, expected: str) -> None:
    """It says what the pod waits for, in kubectl's words."""
    assert expected == pod_of(pod("a", "node", ago(), labels=on(OLD), **status)).state


def test_a_pod_that_leaves_is_not_ready() -> None:
    """It may go on serving, but nobody is to count on it."""
    leaving = pod("a", "node", ago())
    leaving["metadata"]["deletionTimestamp"] = ago()

    assert ("Terminating", False) == (pod_of(leaving).state, pod_of(leaving).ready)


def test_restarts_are_those_of_all_containers() -> None:
    """A migration that failed twice counts."""
    status = {"initContainerStatuses": [waiting("migrate", "CrashLoopBackOff")]}

    assert 2 == pod_of(canary_pod(ago(), **status)).restarts


def test_events_are_in_order_whoever_wrote_them() -> None:
    """The newest is the last, by the stamp that its writer has filled in."""
    old_style = event("Old", "", ago(minutes=9)) | {"eventTime": None}
    old_style["lastTimestamp"] = ago(minutes=1)
    repeated = event("Repeated", "", ago(minutes=8))
    repeated["series"] = {"lastObservedTime": ago(seconds=5)}
    snapshot = ServiceSnapshot(
        service(None), events=(repeated, old_style, event("New", "", ago(minutes=5)))
    )

    assert ["New", "Old", "Repeated"] == [it.reason for it in view(snapshot).events]


@pytest.mark.parametrize(
    ("snapshot", "expected"),
    [
        (first_step(), {NEW: ("canary",), OLD: ("stable",)}),
        (rolled_back(), {NEW: ("failed",), OLD: ("stable",)}),
        (rolling(), {NEW: ("new",), OLD: ("stable",)}),
    ],
    ids=["canary", "rolled back", "rolling"],
)
def test_the_roles_of_revisions(
    snapshot: ServiceSnapshot, expected: dict[str, tuple[str, ...]]
) -> None:
    """Each revision of a rollout has a part in it."""
    assert expected == {it.revision: it.roles for it in view(snapshot).revisions}


def test_a_spec_that_is_not_valid_is_shown_all_the_same() -> None:
    """What is declared is unknown; the rest is there."""
    broken = service({"phase": "Stable"}, replicas="many")

    assert view(ServiceSnapshot(broken)).declared is None


def test_a_status_of_another_release_is_refused() -> None:
    """It is better to say so than to draw half of it."""
    with pytest.raises(
        Refused, match=r"comes from a release that this plugin does not know.*phase"
    ):
        view(ServiceSnapshot(service({"phase": "Sideways"})))


def test_json_has_the_claim_that_is_kept() -> None:
    """It is where the API has it; null where there is none."""
    expected = {
        "name": "data-orders-postgresql-0",
        "deleteWith": "kubectl delete pvc --namespace shop data-orders-postgresql-0",
    }

    for scene, claim in ((retained, expected), (stable, None)):
        assert claim == json.decode(json.encode(view(scene())))["status"]["retainedClaim"]


def test_json_has_what_the_screen_has() -> None:
    """Names are those of the API; stamps are RFC 3339."""
    found = json.decode(json.encode(view(first_step())))

    assert "Canary" == found["status"]["rollout"]["phase"]
    assert {"canary": 1, "stable": 3} == {
        track: sum(it["track"] == track for it in found["pods"]) for track in ("canary", "stable")
    }
    assert ago(seconds=95) == found["revisions"][0]["createdAt"]
