"""What the status says of what was seen."""

from typing import Any

import pytest

from orders_operator.api.conditions import Reason
from orders_operator.api.status import RolloutStatus
from orders_operator.reconcile.condition_states import ordered
from orders_operator.reconcile.events import Transition, distinct, event
from orders_operator.reconcile.observed import Observed
from orders_operator.reconcile.summary import statuses, summarise, transitions
from orders_operator.rollout.pods import Failure
from orders_operator.rollout.tracks import Tracks, TrackState
from tests.helpers.operator.observations import NOW, conditions, deployment, of, pod, seen


def test_all_is_well() -> None:
    """A rolled out service is ready, and the status says which version and schema runs."""
    status = summarise(seen(), {}, NOW)

    assert {
        "Ready": ("True", "Available"),
        "Progressing": ("False", "RolledOut"),
        "Degraded": ("False", "AsExpected"),
        "Migrated": ("True", "Migrated"),
        "MonitoringReady": ("True", "ServiceMonitorApplied"),
        "Paused": ("False", "Reconciling"),
        "Reconciling": ("False", "RolledOut"),
        "Stalled": ("False", "AsExpected"),
    } == conditions(status)
    assert ("0.1.0", 3) == (status["version"], status["schemaVersion"])
    assert "orders/service:0.1.0@sha256:abc" == status["image"]
    assert (2, 2, 2) == tuple(
        status[name] for name in ("replicas", "readyReplicas", "stableReplicas")
    )


@pytest.mark.parametrize(
    ("state", "ready"),
    [
        (deployment(), True),
        (deployment(available=1), True),  # a pod is away; the rest serve
        (deployment(wanted=5), True),  # it is scaled up; what was there serves
        (deployment(wanted=0, updated=0, total=0, available=0), True),
        (deployment(available=0), False),
        (deployment(total=3), True),  # an old pod still serves
        (deployment(observed=0), True),  # the Deployment's controller has not looked
        (deployment(updated=0, reason="ReplicaSetUpdated"), True),  # a rolling update begins
        (deployment(available=1, reason="ProgressDeadlineExceeded"), True),
        (deployment(available=0, updated=1, reason="ReplicaSetUpdated"), False),
    ],
)
def test_ready_means_that_callers_are_served(
    state: dict[str, Any],
    ready: bool,  # noqa: FBT001
) -> None:
    """By whichever revision, however far a rollout is and whatever is wrong with it."""
    assert str(ready) == of(deployment=state)["Ready"][0]
    failure = (Failure(Reason.APPLY_FAILED, "exceeded quota"),)
    for more in ({}, {"failures": failure}, {"invalid": "`spec.image` is missing"}):
        for phase in ("Canary", "Promoting", "Baking", "RolledBack", "Halted"):
            rollout = RolloutStatus(phase=phase, revision="b", stable="a")
            found = of(deployment=state, rollout=rollout, **more)
            assert str(ready) == found["Ready"][0]


def test_the_pods_of_a_canary_serve_too() -> None:
    """Callers reach them by the same Service."""
    tracks = Tracks(TrackState(deployment(available=0)), TrackState(deployment(wanted=1)))
    assert ("True", "Available") == of(tracks=tracks)["Ready"]


def test_an_outage_in_a_rollout_is_none_of_it() -> None:
    """Where pods have served, that none does is told as what it is; at first they are awaited."""
    none = deployment(available=0, updated=1, reason="ReplicaSetUpdated")
    first = RolloutStatus(phase="Progressing", revision="a")
    assert ("False", "RollingOut") == of(deployment=none, rollout=first)["Ready"]
    later = RolloutStatus(phase="Progressing", revision="b", stable="a")
    assert ("False", "Unavailable") == of(deployment=none, rollout=later)["Ready"]
    assert ("False", "RollingOut") == of(deployment=None)["Ready"]


def test_what_cannot_be_read_is_unknown() -> None:
    """Not an outage: the operator may not read the Deployment, callers may be served."""
    refused = (Failure(Reason.APPLY_FAILED, "deployments is forbidden"),)
    found = of(deployment=None, hidden=True, failures=refused)
    assert ("Unknown", "ApplyFailed") == found["Ready"]


def test_a_failed_migration_shows_its_last_lines() -> None:
    """The log of a failing init container is in the message, whatever state it waits in."""
    failing = pod(
        migrate={"waiting": {"reason": "CrashLoopBackOff"}}, orders={"waiting": {}}, ready=False
    )
    failing["status"]["initContainerStatuses"][0]["lastState"] = {
        "terminated": {"exitCode": 1, "message": "x" * 5000 + "\nno such table: orders\n"}
    }
    status = summarise(seen(pods=(failing,), deployment=deployment(total=3, updated=1)), {}, NOW)
    found = conditions(status)

    assert ("True", "MigrationFailed") == found["Degraded"]
    assert ("False", "MigrationFailed") == found["Migrated"]
    assert ("True", "Available") == found["Ready"]  # the pods of the revision before serve
    [message] = [it["message"] for it in status["conditions"] if it["type"] == "Degraded"]
    assert "no such table: orders" == message


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "ErrImageNeverPull"])
def test_an_image_that_cannot_be_pulled_is_told(reason: str) -> None:
    """Whichever container waits for its image first, the reason is the same."""
    waiting = {"waiting": {"reason": reason, "message": "not found"}}

    for bad in (pod(migrate=waiting, ready=False), pod(orders=waiting, ready=False)):
        assert ("True", "ImagePullFailed") == of(pods=(bad,))["Degraded"]


def test_a_crash_loop_is_told_and_one_restart_is_not() -> None:
    """A container that ended once and runs again is well."""
    ended = {"terminated": {"exitCode": 1, "message": "boom"}}
    looping = pod(orders={"waiting": {"reason": "CrashLoopBackOff"}}, lastState=ended, ready=False)
    restarted = pod(lastState=ended, restartCount=1)

    assert ("True", "PodCrashing") == of(pods=(looping,))["Degraded"]
    assert ("False", "AsExpected") == of(pods=(restarted,))["Degraded"]


def test_a_missed_deadline_is_degraded() -> None:
    """A rollout that takes too long is told, though no pod complains."""
    late = deployment(updated=1, total=3, reason="ProgressDeadlineExceeded")

    assert ("True", "ProgressDeadlineExceeded") == of(deployment=late)["Degraded"]


def test_a_missed_deadline_says_which_pods_are_missing() -> None:
    """The new ones are counted, not those that serve meanwhile; and it says what they do."""
    late = deployment(updated=1, total=3, reason="ProgressDeadlineExceeded")
    new = pod(ready=False, started=True)
    status = summarise(seen(deployment=late, pods=(new,)), {}, NOW)
    [degraded] = [it for it in status["conditions"] if it["type"] == "Degraded"]

    assert degraded["message"] == (
        "1 of 2 pods are new, 0 of them ready. x-1: container orders is running but not ready."
    )


def test_pods_that_are_refused_are_told_in_the_servers_words() -> None:
    """Of the stable track and of the canary, of pods and of the ReplicaSet that makes them."""
    words = 'pods "x-1" is forbidden: exceeded quota: few'
    failure = {"type": "ReplicaFailure", "status": "True", "message": words}
    progressing = {"type": "Progressing", "status": "False", "message": words}
    for condition in (failure, progressing | {"reason": "ReplicaSetCreateError"}):
        refused = deployment(updated=0)
        refused["status"]["conditions"] = [condition]
        for tracks in (
            Tracks(TrackState(refused)),
            Tracks(TrackState(deployment(), (pod(),)), TrackState(refused)),
        ):
            status = summarise(seen(tracks=tracks), {}, NOW)
            [degraded] = [it for it in status["conditions"] if it["type"] == "Degraded"]
            assert ("PodsRefused", words) == (degraded["reason"], degraded["message"])


def test_a_missing_crd_concerns_monitoring_alone() -> None:
    """Without the ServiceMonitor's kind the rest is ready."""
    found = of(absent=("monitoring.coreos.com/v1",))

    assert ("False", "CRDMissing") == found["MonitoringReady"]
    assert ("True", "Available") == found["Ready"]
    assert ("False", "AsExpected") == found["Degraded"]


def test_a_missing_gateway_is_degraded() -> None:
    """A route that cannot be made keeps callers away."""
    assert ("True", "CRDMissing") == of(absent=("gateway.networking.k8s.io/v1",))["Degraded"]


def test_an_invalid_spec_keeps_what_was_known() -> None:
    """The spec is refused, and what serves is still in the status."""
    before = summarise(seen(), {}, NOW)

    after = summarise(Observed(generation=2, invalid="`spec.image` is missing"), before, NOW)

    assert ("True", "InvalidSpec") == conditions(after)["Degraded"]
    assert (2, 2, 2) == tuple(
        after[name] for name in ("replicas", "readyReplicas", "stableReplicas")
    )
    assert before["version"] == after["version"]
    assert 2 == after["observedGeneration"]


def test_paused_changes_what_the_operator_does() -> None:
    """Nothing was looked at, so of what serves nothing else is said."""
    before = summarise(seen(), {}, NOW)

    after = summarise(Observed(generation=2, paused=True), before, NOW)

    changed = {"Paused": ("True", "Paused"), "Reconciling": ("True", "Paused")}
    assert conditions(before) | changed == conditions(after)
    assert 2 == after["observedGeneration"]
    of_now = {it["type"] for it in after["conditions"] if it["observedGeneration"] == 2}
    assert {"Paused", "Reconciling", "Stalled"} == of_now


def test_paused_and_invalid_are_both_told() -> None:
    """That the spec is refused is known before somebody lets the operator go on."""
    status = summarise(
        Observed(generation=2, invalid="`spec.image` is missing", paused=True), {}, NOW
    )

    assert ("True", "Paused") == conditions(status)["Paused"]
    assert ("True", "InvalidSpec") == conditions(status)["Degraded"]
    assert ("True", "InvalidSpec") == conditions(status)["Stalled"]
    assert 2 == status["observedGeneration"]


def test_scaled_to_none_stays_migrated() -> None:
    """Without a pod to ask, the last answer holds."""
    before = summarise(seen(), {}, NOW)
    empty = deployment(wanted=0, updated=0, total=0, available=0)

    after = summarise(seen(deployment=empty, pods=()), before, NOW)

    assert ("True", "Migrated") == conditions(after)["Migrated"]
    assert 3 == after["schemaVersion"]


def test_without_migrations_the_version_is_the_images_tag() -> None:
    """No report is written, so the tag must do."""
    status = summarise(seen(migrations=False, pods=(pod(migrate={"waiting": {}}),)), {}, NOW)

    assert "0.1.0" == status["version"]
    assert ("Unknown", "MigrationsDisabled") == conditions(status)["Migrated"]


def test_problems_weigh() -> None:
    """A missing Secret comes before a conflict, and those of one reason are told together."""
    failures = ordered(
        [
            Failure(Reason.APPLY_FAILED, "a"),
            Failure(Reason.NAME_CONFLICT, "b"),
            Failure(Reason.NAME_CONFLICT, "c"),
            Failure(Reason.SECRET_MISSING, "d"),
        ]
    )

    assert ["d", "b; c", "a"] == [it.message for it in failures]
    assert ("True", "SecretMissing") == of(failures=failures)["Degraded"]


def test_failure_and_recovery_tell_two_events() -> None:
    """A failing migration is a warning, its end is not."""
    failing = pod(migrate={"terminated": {"exitCode": 1, "message": "boom"}}, ready=False)
    well = summarise(seen(), {}, NOW)
    ill = summarise(seen(pods=(failing,), deployment=deployment(total=3, updated=1)), well, NOW)

    down = distinct(transitions(well, ill))
    up = distinct(transitions(ill, summarise(seen(), ill, NOW)))

    assert [("MigrationFailed", True)] == [(it.reason, it.bad) for it in down if it.bad]
    assert "boom" == down[0].message
    assert not any(it.bad for it in up)


def test_statuses_by_type() -> None:
    """The gauge of each condition is set from the status."""
    assert "True" == statuses(summarise(seen(), {}, NOW))["Ready"]


def test_a_new_resource_starts_calmly() -> None:
    """What merely is not there yet is no warning."""
    young = seen(deployment=None, pods=())

    told = transitions({}, summarise(young, {}, NOW))

    assert not any(it.bad for it in told)


def test_two_events_of_one_moment_have_two_names() -> None:
    """An API server refuses a name that it has, and the Event would be lost."""
    metadata = {"name": "shop", "namespace": "ns", "uid": "u", "resourceVersion": "1"}
    resource = {"apiVersion": "orders.dev/v1alpha1", "kind": "OrderService", "metadata": metadata}
    told = Transition("Ready", "Available", "1 of 1 pods serve.", bad=False)
    first, second = (event(resource, told, "operator-1", NOW) for _ in range(2))
    assert first["metadata"]["name"] != second["metadata"]["name"]
    assert first | {"metadata": {}} == second | {"metadata": {}}
