"""What the status says of what was seen."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders_operator.api.conditions import ConditionType, Reason
from orders_operator.reconcile.events import NOTE_LENGTH, distinct, event
from orders_operator.reconcile.observed import Observed, Problem
from orders_operator.reconcile.summary import ordered, statuses, summarise, transitions

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
REPORT = '{"version":"0.1.0","schema":3}'

numbers = st.integers(0, 5)


def deployment(  # noqa: PLR0913  what a Deployment's status has
    wanted: int = 2,
    updated: int = 2,
    total: int = 2,
    available: int = 2,
    reason: str = "NewReplicaSetAvailable",
    observed: int = 1,
) -> dict[str, Any]:
    """Return a Deployment with this status."""
    return {
        "metadata": {"name": "x", "generation": 1},
        "spec": {"replicas": wanted},
        "status": {
            "observedGeneration": observed,
            "replicas": total,
            "updatedReplicas": updated,
            "availableReplicas": available,
            "readyReplicas": available,
            "conditions": [{"type": "Progressing", "status": "True", "reason": reason}],
        },
    }


def pod(
    migrate: dict[str, Any] | None = None,
    orders: dict[str, Any] | None = None,
    *,
    ready: bool = True,
    **container: Any,
) -> dict[str, Any]:
    """Return a pod with these container states; by default it migrated and runs."""
    return {
        "metadata": {"name": "x-1", "creationTimestamp": "2026-01-01T00:00:00Z"},
        "status": {
            "conditions": [{"type": "Ready", "status": str(ready)}],
            "initContainerStatuses": [
                {
                    "name": "migrate",
                    "state": migrate or {"terminated": {"exitCode": 0, "message": REPORT}},
                }
            ],
            "containerStatuses": [
                {
                    "name": "orders",
                    "state": orders or {"running": {}},
                    "imageID": "docker.io/orders/service@sha256:abc",
                    "ready": ready,
                    **container,
                }
            ],
        },
    }


def seen(**fields: Any) -> Observed:
    """Return an observation that is well, but for the given fields."""
    well: dict[str, Any] = {
        "generation": 1,
        "deployment": deployment(),
        "pods": (pod(),),
        "image": "orders/service:0.1.0",
        "url": "http://x.ns.svc",
    }
    return Observed(**(well | fields))


def conditions(status: dict[str, Any]) -> dict[str, tuple[str, str]]:
    """Return status and reason of each condition."""
    return {it["type"]: (it["status"], it["reason"]) for it in status["conditions"]}


def of(**fields: Any) -> dict[str, tuple[str, str]]:
    """Return the conditions of an observation."""
    return conditions(summarise(seen(**fields), {}, NOW))


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
    } == conditions(status)
    assert ("0.1.0", 3) == (status["version"], status["schemaVersion"])
    assert "orders/service:0.1.0@sha256:abc" == status["image"]
    assert (2, 2) == (status["replicas"], status["readyReplicas"])


@pytest.mark.parametrize(
    ("state", "ready"),
    [
        (deployment(), True),
        (deployment(available=1), True),  # a pod is away; the rest serve
        (deployment(wanted=5), True),  # it is scaled up; what was there serves
        (deployment(wanted=0, updated=0, total=0, available=0), True),
        (deployment(available=0), False),
        (deployment(total=3), False),  # an old pod still serves
        (deployment(observed=0), False),  # the Deployment's controller has not looked
        (deployment(updated=1, reason="ReplicaSetUpdated"), False),
        (deployment(available=1, reason="ReplicaSetUpdated"), False),
    ],
)
def test_ready_means_that_the_newest_revision_serves_alone(
    state: dict[str, Any],
    ready: bool,  # noqa: FBT001
) -> None:
    """Neither an unfinished rollout nor one that nobody looked at is ready."""
    assert str(ready) == of(deployment=state)["Ready"][0]


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
    assert ("False", "MigrationFailed") == found["Ready"]
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

    assert ("False", "InvalidSpec") == conditions(after)["Ready"]
    assert (2, 2) == (after["replicas"], after["readyReplicas"])
    assert before["version"] == after["version"]
    assert 2 == after["observedGeneration"]


def test_paused_changes_one_condition() -> None:
    """Nothing was looked at, so nothing else is said."""
    before = summarise(seen(), {}, NOW)

    after = summarise(Observed(generation=2, paused=True), before, NOW)

    assert ("True", "Paused") == conditions(after).pop("Paused")
    assert before["observedGeneration"] == after["observedGeneration"]
    assert conditions(before) | {"Paused": ("True", "Paused")} == conditions(after)


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
    problems = ordered(
        [
            Problem(Reason.APPLY_FAILED, "a"),
            Problem(Reason.NAME_CONFLICT, "b"),
            Problem(Reason.NAME_CONFLICT, "c"),
            Problem(Reason.SECRET_MISSING, "d"),
        ]
    )

    assert ["d", "b; c", "a"] == [it.message for it in problems]
    assert ("True", "SecretMissing") == of(problems=problems)["Degraded"]


states = st.none() | st.builds(
    deployment,
    wanted=numbers,
    updated=numbers,
    total=numbers,
    available=numbers,
    reason=st.sampled_from(
        ["NewReplicaSetAvailable", "ReplicaSetUpdated", "ProgressDeadlineExceeded"]
    ),
    observed=st.integers(0, 1),
)
observations = st.builds(
    Observed,
    generation=st.integers(1, 9),
    paused=st.booleans(),
    invalid=st.none() | st.text(max_size=20),
    problems=st.lists(
        st.builds(
            Problem,
            st.sampled_from([Reason.SECRET_MISSING, Reason.NAME_CONFLICT, Reason.APPLY_FAILED]),
            st.text(max_size=5000),
        ),
        max_size=3,
    ).map(tuple),
    deployment=states,
    pods=st.lists(
        st.sampled_from(
            [
                pod(),
                pod(migrate={"waiting": {"reason": "PodInitializing"}}, ready=False),
                pod(migrate={"terminated": {"exitCode": 1}}, ready=False),
                pod(orders={"waiting": {"reason": "ImagePullBackOff"}}, ready=False),
                {"metadata": {"name": "young"}},
            ]
        ),
        max_size=3,
    ).map(tuple),
    absent=st.sets(
        st.sampled_from(["monitoring.coreos.com/v1", "gateway.networking.k8s.io/v1"])
    ).map(lambda them: tuple(sorted(them))),
    monitoring=st.booleans(),
    migrations=st.booleans(),
    image=st.sampled_from(["a", "a:1", "r:5000/a", "r:5000/a:1@sha256:x"]),
)


@given(st.lists(observations, min_size=1, max_size=5))
def test_every_status_holds_together(history: list[Observed]) -> None:
    """Whatever happens in whatever order, the conditions do not contradict each other."""
    status: dict[str, Any] = {}
    for hours, observation in enumerate(history):
        status = summarise(observation, status, NOW + timedelta(hours=hours))
        found = conditions(status)
        assert len(status["conditions"]) == len(found)
        assert set(found) <= {str(it) for it in ConditionType}
        assert all(reason in set(Reason) for _, reason in found.values())
        assert all(len(it["message"]) <= 32768 for it in status["conditions"])
        if observation.paused:
            assert "True" == found["Paused"][0]
            continue
        assert set(found) == {str(it) for it in ConditionType}
        assert observation.generation == status["observedGeneration"]
        assert {observation.generation} == {
            it["observedGeneration"] for it in status["conditions"]
        }
        if found["Ready"][0] == "True":
            assert "False" == found["Degraded"][0]
            assert observation.deployment is not None
            assert 1 == observation.deployment["status"]["observedGeneration"]
            assert observation.invalid is None
            assert not observation.problems
        if found["Degraded"][0] == "True":
            assert "False" == found["Ready"][0]


@given(observations, observations)
def test_the_same_sight_twice_changes_nothing(first: Observed, second: Observed) -> None:
    """A status is written once, and no Event is told twice; a time changes with a status."""
    before = summarise(first, {}, NOW)
    after = summarise(second, before, NOW + timedelta(hours=1))
    again = summarise(second, after, NOW + timedelta(hours=2))

    assert after == again
    assert [] == transitions(after, again)
    was = {it["type"]: it for it in before["conditions"]}
    for it in after["conditions"]:
        old = was.get(it["type"])
        if old is not None:
            same_time = old["lastTransitionTime"] == it["lastTransitionTime"]
            assert (old["status"] == it["status"]) == same_time


@given(st.lists(observations, min_size=2, max_size=2))
def test_events_are_of_transitions(pair: list[Observed]) -> None:
    """An Event has the reason of a condition, once, in the form that the API server takes."""
    before = summarise(pair[0], {}, NOW)
    after = summarise(pair[1], before, NOW)
    resource = {
        "apiVersion": "orders.dev/v1alpha1",
        "kind": "OrderService",
        "metadata": {"name": "x", "namespace": "ns", "uid": "u", "resourceVersion": "1"},
    }
    told = distinct(transitions(before, after))
    made = [event(resource, it, "operator-0", NOW) for it in told]

    reasons = {it["reason"] for it in after["conditions"]}
    assert {it["reason"] for it in made} <= reasons
    assert len(made) == len({it["reason"] for it in made})
    assert all(0 < len(it["note"]) <= NOTE_LENGTH for it in made)
    assert all(it["type"] in {"Normal", "Warning"} for it in made)


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
