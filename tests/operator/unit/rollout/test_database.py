"""What an embedded database's pod says of itself."""

from datetime import UTC, datetime, timedelta
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders_operator.api.conditions import Reason
from orders_operator.rollout.database import (
    claim_failure,
    pod_failure,
    pod_refusal,
    stuck,
)
from orders_operator.rollout.pods import Failure
from tests.helpers.operator import observations

NOW: Final = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
DENIED: Final = "initdb: error: could not create directory: Permission denied"


def pod(message: str, *first: str, name: str = "postgresql") -> dict[str, Any]:
    """Return a pod whose container crashes with a message; `first` are its init containers."""
    ended = {"exitCode": 1, "reason": "Error", "message": message}
    return {
        "metadata": {"name": "shop-postgresql-0"},
        "spec": {"initContainers": [{"name": it} for it in first]},
        "status": {
            "containerStatuses": [
                {
                    "name": name,
                    "restartCount": 3,
                    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                    "lastState": {"terminated": ended},
                }
            ]
        },
    }


@pytest.mark.parametrize(
    "message",
    [
        DENIED,
        "mkdir: cannot create directory '/var/lib/postgresql/data/pgdata': Permission denied",
        "chmod: changing permissions of 'pgdata': Operation not permitted",
        'FATAL: data directory "pgdata" has wrong ownership',
    ],
)
def test_a_volume_that_may_not_be_written_names_what_helps(message: str) -> None:
    """The message has PostgreSQL's own words, and the field that gives it the volume."""
    found = pod_failure([pod(message)], NOW)

    assert found is not None
    assert Reason.POD_CRASHING == found.reason
    assert found.message.startswith(f"The embedded database: {message}\n")
    assert "database.embedded.volumePermissions" in found.message


def test_a_field_that_is_set_already_is_not_advised() -> None:
    """Where the volume was given to PostgreSQL, something else is wrong."""
    found = pod_failure([pod(DENIED, "volume-permissions")], NOW)
    assert found == Failure(Reason.POD_CRASHING, f"The embedded database: {DENIED}")


def test_another_crash_is_told_as_it_is() -> None:
    """PostgreSQL's last words are the message."""
    found = pod_failure([pod("PANIC: could not locate a valid checkpoint record")], NOW)
    assert found is not None
    assert "volumePermissions" not in found.message


def test_a_pod_that_starts_is_no_trouble() -> None:
    """Neither is one that nothing is known of, nor a sidecar that crashes."""
    unknown = {"metadata": {"name": "shop-postgresql-0"}, "spec": {}}
    assert pod_failure([unknown, pod(DENIED, name="istio-proxy")], NOW) is None
    assert pod_failure([], NOW) is None


def test_it_weighs_more_than_pods_that_fail_for_want_of_it() -> None:
    """The condition Degraded has the database's words, not those of a migration that waits."""
    wrong = Failure(Reason.POD_CRASHING, "The embedded database: no")
    ended = {"terminated": {"exitCode": 75, "message": "the database is away"}}
    waiting = observations.pod(migrate=ended, ready=False)

    assert ("True", "MigrationFailed") == observations.of(pods=(waiting,))["Degraded"]
    assert ("True", "PodCrashing") == observations.of(pods=(waiting,), database=wrong)["Degraded"]


def unready(began: datetime, since: datetime, **status: Any) -> dict[str, Any]:
    """Return a pod of the template `bad` that started once, and is unready since then."""
    condition = {"type": "Ready", "status": "False", "lastTransitionTime": since.isoformat()}
    waiting = {"waiting": {"reason": "ImagePullBackOff", "message": "no such"}}
    return {
        "metadata": {"labels": {"controller-revision-hash": "bad"}},
        "spec": {},
        "status": {
            "startTime": began.isoformat(),
            "conditions": [condition],
            "containerStatuses": [{"name": "postgresql", "state": waiting}],
            **status,
        },
    }


def stateful_set(revision: str = "good", replicas: int = 1, observed: int = 2) -> dict[str, Any]:
    """Return a StatefulSet of generation 2 whose controller has seen one of its generations."""
    return {
        "metadata": {"generation": 2},
        "spec": {"replicas": replicas},
        "status": {"updateRevision": revision, "observedGeneration": observed},
    }


def test_a_pod_of_the_template_before_that_never_was_ready_is_stuck() -> None:
    """Once the controller has seen the new template, and until the pod is gone."""
    pod = unready(NOW, NOW)
    assert stuck(stateful_set(), [pod])
    assert not stuck(stateful_set(), [])
    assert not stuck(stateful_set("bad"), [pod])
    assert not stuck(stateful_set(observed=1), [pod])
    assert not stuck({"metadata": {}, "spec": {"replicas": 1}}, [pod])


def test_what_is_scaled_away_is_until_it_is_gone() -> None:
    """Whatever its containers say meanwhile; a pod that goes by itself is none to scale away."""
    going = unready(NOW, NOW, containerStatuses=[])
    going["metadata"]["deletionTimestamp"] = NOW.isoformat()
    assert stuck(stateful_set(replicas=0, observed=1), [going])
    assert not stuck(stateful_set(), [going])
    assert not stuck(stateful_set(replicas=0), [])


def test_a_pod_that_fits_no_node_is_stuck() -> None:
    """No kubelet has had it; the scheduler says so."""
    unplaced = {"type": "PodScheduled", "status": "False", "message": "0/1 nodes are available"}
    assert stuck(stateful_set(), [unready(NOW, NOW) | {"status": {"conditions": [unplaced]}}])


def test_a_pod_that_starts_is_not_stuck() -> None:
    """PostgreSQL may be preparing its data."""
    states: list[Any] = [{"running": {}}, {"waiting": {"reason": "ContainerCreating"}}]
    for state in states:
        statuses = [{"name": "postgresql", "state": state}]
        assert not stuck(stateful_set(), [unready(NOW, NOW, containerStatuses=statuses)])
    assert not stuck(stateful_set(), [unready(NOW, NOW, containerStatuses=[])])


def test_a_pod_that_runs_again_is_not_stuck() -> None:
    """However often PostgreSQL has crashed: now it runs, and may be preparing its data."""
    ended = {"terminated": {"exitCode": 1}}
    crashed = {"name": "postgresql", "restartCount": 5, "lastState": ended}
    running = crashed | {"state": {"running": {}}}
    waiting = crashed | {"state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    assert not stuck(stateful_set(), [unready(NOW, NOW, containerStatuses=[running])])
    assert stuck(stateful_set(), [unready(NOW, NOW, containerStatuses=[waiting])])


def test_a_claim_is_in_trouble_while_it_would_not_outlive_its_pod() -> None:
    """It is being deleted, or has lost its volume; one that is not there has nothing to lose."""
    claim: dict[str, Any] = {"metadata": {}, "status": {"phase": "Bound"}}
    assert claim_failure("data", None) is None
    assert claim_failure("data", claim) is None
    going = claim | {"metadata": {"deletionTimestamp": NOW.isoformat()}}
    lost = claim | {"status": {"phase": "Lost"}}
    for found, words in ((going, "data is being deleted"), (lost, "data has lost its volume")):
        failure = claim_failure("data", found)
        assert failure is not None
        assert words in failure.message


@given(st.integers(2, 10**6), st.sampled_from([0, 1]), st.sampled_from(["good", "bad"]))
def test_a_pod_that_ever_was_ready_is_never_stuck(
    seconds: int, replicas: int, revision: str
) -> None:
    """It became unready after it had started, whatever it waits for since."""
    pod = unready(NOW, NOW + timedelta(seconds=seconds))
    assert not stuck(stateful_set(revision, replicas), [pod])
    now_ready = unready(NOW, NOW)
    now_ready["status"]["conditions"][0]["status"] = "True"
    assert not stuck(stateful_set(revision, replicas), [now_ready])


def test_a_pod_that_fits_no_node_for_a_minute_is_told() -> None:
    """In the scheduler's words; before that it may wait for its volume."""
    words = "0/1 nodes are available: 1 Insufficient cpu."
    condition = {
        "type": "PodScheduled",
        "status": "False",
        "message": words,
        "lastTransitionTime": NOW.isoformat(),
    }
    pod = {"metadata": {}, "spec": {}, "status": {"conditions": [condition]}}
    assert pod_failure([pod], NOW + timedelta(seconds=59)) is None
    found = pod_failure([pod], NOW + timedelta(seconds=60))
    assert found == Failure(Reason.UNAVAILABLE, f"The embedded database: {words}")


def test_why_there_is_no_pod_is_what_the_newest_event_says() -> None:
    """A refusal that is over is told no more, and a claim that was made is no pod."""
    words = 'pods "x-0" is forbidden: exceeded quota: few'

    def event(reason: str, note: str, at: str) -> dict[str, Any]:
        return {"reason": reason, "note": note, "deprecatedLastTimestamp": at}

    refused = event(
        "FailedCreate", f"create Pod x-0 in StatefulSet x failed error: {words}", "2026-01-02T03"
    )
    claimed = event("SuccessfulCreate", "create Claim data-x-0 Pod x-0 success", "2026-01-02T04")
    made = event("SuccessfulCreate", "create Pod x-0 in StatefulSet x successful", "2026-01-02T04")
    told = Failure(Reason.PODS_REFUSED, f"The embedded database: {words}")
    assert told == pod_refusal([claimed, refused])
    assert pod_refusal([made, refused]) is None
    again = refused | {"series": {"lastObservedTime": "2026-01-02T05"}}
    assert told == pod_refusal([made, again])
    assert pod_refusal([]) is None
