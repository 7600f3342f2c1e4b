"""What every status says, whatever was seen."""

from datetime import timedelta
from typing import Any, get_args

from hypothesis import given
from hypothesis import strategies as st

from orders_operator.api.conditions import ConditionType, Reason
from orders_operator.api.status import FailedRevision, Phase, RolloutStatus
from orders_operator.reconcile.events import NOTE_LENGTH, distinct, event
from orders_operator.reconcile.observed import Observed
from orders_operator.reconcile.summary import summarise, transitions
from orders_operator.rollout.pods import Failure
from tests.helpers.operator.observations import NOW, conditions, deployment, numbers, pod, seen

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
rollouts = st.none() | st.builds(
    RolloutStatus,
    phase=st.sampled_from(get_args(Phase)),
    step=st.none() | st.integers(1, 3),
    failed=st.none()
    | st.builds(
        FailedRevision,
        st.just("a"),
        st.sampled_from(["AnalysisFailed", "Unheard"]),
        st.text(max_size=9),
        st.just("2026-01-02T03:04:05Z"),
    ),
)
observations = st.builds(
    seen,
    generation=st.integers(1, 9),
    paused=st.booleans(),
    invalid=st.none() | st.text(max_size=20),
    failures=st.lists(
        st.builds(
            Failure,
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
                {"metadata": {"name": "young", "uid": "uid-0"}},
            ]
        ),
        max_size=3,
    ).map(tuple),
    rollout=rollouts,
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
        assert observation.generation == status["observedGeneration"]
        reconciling, stalled = found["Reconciling"][0], found["Stalled"][0]
        assert (reconciling, stalled) != ("True", "True")
        assert {reconciling, stalled} <= {"True", "False"}
        if observation.paused:
            assert "True" == found["Paused"][0]
        if observation.paused and observation.invalid is None:
            assert ("True", "False") == (reconciling, stalled)
            continue
        assert set(found) == {str(it) for it in ConditionType}
        if (reconciling, stalled) == ("False", "False"):
            assert ("True", "False", "False") == tuple(
                found[kind][0] for kind in ("Ready", "Degraded", "Progressing")
            )
        assert {observation.generation} == {
            it["observedGeneration"] for it in status["conditions"]
        }
        stable = observation.tracks.stable.deployment
        served = stable is not None and (
            stable["status"]["readyReplicas"] > 0 or stable["spec"]["replicas"] == 0
        )
        assert served == (found["Ready"][0] == "True")
        if observation.invalid is not None or observation.failures:
            assert "True" == found["Degraded"][0]


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

    for_tools = {"Reconciling", "Stalled"}
    assert set() == for_tools & {it.type for it in told}
    reasons = {it["reason"] for it in after["conditions"]}
    assert {it["reason"] for it in made} <= reasons
    assert len(made) == len({it["reason"] for it in made})
    assert all(0 < len(it["note"]) <= NOTE_LENGTH for it in made)
    assert all(it["type"] in {"Normal", "Warning"} for it in made)
