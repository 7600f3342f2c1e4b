"""Canaries come in by their own metrics, hold without requests, and go back when they fail."""

from collections.abc import Iterator
from typing import Any, Final

import pytest

from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import ABSENT, IMAGE, Namespace, order_service, secret, uids
from tests.helpers.cluster.outside_caller import Caller

pytestmark = pytest.mark.starts_early(seconds=220)

NAME: Final = "watched"
ANALYSIS: Final = {"interval": "5s", "minRequests": 20, "failureLimit": 0}
STEPS: Final = [{"weight": 30, "duration": "5s"}, {"weight": 50, "duration": "5s"}]
BACK: Final = 30.0
"""Seconds from a failure until the stable revision has all requests."""


@pytest.fixture(scope="module")
def watched(namespace: Namespace) -> str:
    """Have an OrderService with two pods ready, whose changes come in as canaries."""
    canary = {"steps": STEPS, "analysis": ANALYSIS}
    rollout = {"strategy": "Canary", "canary": canary, "bake": "5s"}
    namespace.apply(order_service(NAME, replicas=2, shutdown={"delay": "2s"}, rollout=rollout))
    namespace.rolled_out(NAME, 90)
    return NAME


@pytest.fixture(scope="module")
def caller(namespace: Namespace, watched: str) -> Iterator[Caller]:
    """Place orders, from the first test that wants some to the last."""
    with Caller(namespace, watched) as made:
        yield made


@pytest.fixture
def served(namespace: Namespace, caller: Caller) -> Iterator[Caller]:
    """Have orders placed during the test: none may fail."""
    yield caller
    count = len(caller.placed)
    namespace.until(lambda: caller.more(count + 20), 20, "the caller goes on")
    assert [] == caller.failed
    assert len(caller.placed) == len(set(caller.placed))


def change(namespace: Namespace, **spec: Any) -> str:
    """Declare other pods; return the revision that they are."""
    before = namespace.rollout(NAME)["revision"]
    namespace.patch("orderservice", NAME, {"spec": spec})
    namespace.until(lambda: namespace.rollout(NAME)["revision"] != before, 15, "a new revision")
    revision: str = namespace.rollout(NAME)["revision"]
    return revision


def env(**variables: str) -> Object:
    """Return a change of the pods' environment."""
    return {"env": [{"name": name, "value": value} for name, value in variables.items()]}


def phase(value: str) -> str:
    """Return what `kubectl wait` waits for."""
    return f"jsonpath={{.status.rollout.phase}}={value}"


def canaries(namespace: Namespace) -> list[Object]:
    """Return the canary pods."""
    return [
        pod
        for pod in namespace.pods(NAME)
        if pod["metadata"]["labels"]["orders.dev/track"] == "canary"
    ]


def test_without_requests_it_holds_and_says_so(namespace: Namespace, watched: str) -> None:
    """Inconclusive, and never promoted by time alone; a person may promote it."""
    revision = change(namespace, podTemplate=env(REQUEST_TIMEOUT="7s"))
    inconclusive = "jsonpath={.status.conditions[?(@.type=='Progressing')].reason}=Inconclusive"
    namespace.wait(f"orderservice/{watched}", inconclusive, 60)
    found = namespace.rollout(NAME)
    assert ("Canary", 1, "Inconclusive") == (
        found["phase"],
        found["step"],
        found["analysis"]["verdict"],
    )
    assert "of the 20 requests" in namespace.condition(NAME, "Progressing")["message"]

    namespace.annotate(NAME, promote=revision)
    namespace.rolled_out(NAME, 90)
    assert revision == namespace.rollout(NAME)["stable"]


def test_a_canary_that_does_well_takes_over(namespace: Namespace, served: Caller) -> None:
    """It gets its share step by step, and replaces the stable pods; no request fails."""
    stable = namespace.rollout(NAME)["stable"]
    revision = change(namespace, podTemplate=env(REQUEST_TIMEOUT="6s"))
    namespace.wait(f"orderservice/{NAME}", phase("Canary"), 15)
    assert "True" == namespace.condition(NAME, "Ready")["status"]
    namespace.wait(f"orderservice/{NAME}", "jsonpath={.status.rollout.step}=2", 90)
    found = namespace.rollout(NAME)
    assert (stable, revision, 2) == (found["stable"], found["canary"], found["steps"])
    namespace.rolled_out(NAME, 120)

    assert ("Stable", revision) == (
        namespace.rollout(NAME)["phase"],
        namespace.rollout(NAME)["stable"],
    )
    namespace.until(lambda: not canaries(namespace), BACK, "the canary's pods are gone")
    labels = {pod["metadata"]["labels"]["orders.dev/revision"] for pod in namespace.pods(NAME)}
    assert {revision} == labels
    kept = {it["metadata"]["name"] for it in namespace.every("controllerrevisions")}
    assert {f"{NAME}-{stable}", f"{NAME}-{revision}"} <= kept
    assert "Normal" == namespace.event("Canary")["type"]
    assert served.placed


def test_an_image_that_is_not_there_goes_back(namespace: Namespace, served: Caller) -> None:
    """RolledBack at its deadline, with the registry's words; spec and stable pods stay."""
    before, stable = uids(namespace.pods(NAME)), namespace.rollout(NAME)["stable"]
    revision = change(namespace, image=ABSENT, rollout={"progressDeadline": "20s"})
    namespace.wait(f"orderservice/{NAME}", "condition=Reconciling=false", 80)
    namespace.wait(f"orderservice/{NAME}", phase("RolledBack"), 1)
    stalled = namespace.condition(NAME, "Stalled")
    assert ("True", "RolledBack") == (stalled["status"], stalled["reason"])
    namespace.until(lambda: before == uids(namespace.pods(NAME)), BACK, "only the stable pods")

    found = namespace.rollout(NAME)
    assert (revision, stable) == (found["failed"]["revision"], found["stable"])
    degraded = namespace.condition(NAME, "Degraded")
    assert ("True", "ProgressDeadlineExceeded") == (degraded["status"], degraded["reason"])
    assert "ImagePull" in degraded["message"]
    assert ABSENT == namespace.get("orderservice", NAME)["spec"]["image"]

    change(namespace, image=IMAGE, rollout={"progressDeadline": None})
    namespace.rolled_out(NAME, 60)
    assert before == uids(namespace.pods(NAME))
    assert served.placed


def test_a_person_may_pause_abort_and_retry(namespace: Namespace, served: Caller) -> None:
    """Paused it stays at its step; aborted it goes back; tried again it comes in."""
    stable = namespace.rollout(NAME)["stable"]
    revision = change(namespace, podTemplate=env(REQUEST_TIMEOUT="8s"))
    namespace.annotate(NAME, pause=revision)
    namespace.wait(f"orderservice/{NAME}", phase("Paused"), 30)
    passed = "jsonpath={.status.rollout.analysis.verdict}=Passed"
    namespace.wait(f"orderservice/{NAME}", passed, 60)
    assert 1 == namespace.rollout(NAME)["step"]

    namespace.annotate(NAME, abort=revision)
    namespace.wait(f"orderservice/{NAME}", phase("RolledBack"), BACK)
    namespace.until(lambda: not canaries(namespace), BACK, "the canary's pods are gone")
    assert "Aborted" == namespace.condition(NAME, "Degraded")["reason"]

    failed = namespace.rollout(NAME)["failed"]
    namespace.annotate(NAME, retry=f"{failed['revision']}@{failed['at']}")
    namespace.wait(f"orderservice/{NAME}", phase("Canary"), 15)
    assert stable == namespace.rollout(NAME)["stable"]
    namespace.rolled_out(NAME, 120)
    assert revision == namespace.rollout(NAME)["stable"]
    assert served.placed


def test_without_its_secret_a_canary_can_be_called_back(
    namespace: Namespace, served: Caller
) -> None:
    """What runs stays, SecretMissing is told, and abort still goes back to the stable pods."""
    stable, before = namespace.rollout(NAME)["stable"], uids(namespace.pods(NAME))
    namespace.apply(secret("limits", timeout="9s"))
    source = {"secretKeyRef": {"name": "limits", "key": "timeout"}}
    variable = {"name": "REQUEST_TIMEOUT", "valueFrom": source}
    revision = change(namespace, podTemplate={"env": [variable]})
    namespace.annotate(NAME, pause=revision)
    namespace.wait(f"orderservice/{NAME}", "jsonpath={.status.rollout.analysis}", 60)

    namespace.kubectl("delete", "secret", "limits")
    missing = "jsonpath={.status.conditions[?(@.type=='Degraded')].reason}=SecretMissing"
    namespace.wait(f"orderservice/{NAME}", missing, 15)
    assert ("Paused", revision) == tuple(namespace.rollout(NAME)[it] for it in ("phase", "canary"))
    assert canaries(namespace)

    namespace.annotate(NAME, abort=revision)
    namespace.wait(f"orderservice/{NAME}", phase("RolledBack"), BACK)
    namespace.until(lambda: before == uids(namespace.pods(NAME)), BACK, "only the stable pods")
    assert stable == namespace.rollout(NAME)["stable"]
    assert served.placed


def test_a_crash_loop_in_a_rolling_update_goes_back(namespace: Namespace, served: Caller) -> None:
    """Also without a canary a revision that does not start is given up; no request fails."""
    stable = namespace.rollout(NAME)["stable"]
    before = uids(namespace.pods(NAME))
    change(namespace, rollout={"strategy": "RollingUpdate"}, podTemplate=env(HTTP_PORT="none"))
    namespace.wait(f"orderservice/{NAME}", phase("RolledBack"), 90)
    namespace.until(lambda: before == uids(namespace.pods(NAME)), BACK, "only the stable pods")
    assert stable == namespace.rollout(NAME)["stable"]
    assert "HTTP_PORT" in namespace.condition(NAME, "Degraded")["message"]
    assert served.placed


def test_with_manual_rollback_it_halts(namespace: Namespace, served: Caller) -> None:
    """It stays where it failed until a person decides."""
    change(
        namespace,
        rollout={"strategy": "Canary", "rollback": "Manual"},
        podTemplate=env(HTTP_PORT="nothing"),
    )
    namespace.wait(f"orderservice/{NAME}", phase("Halted"), 90)
    assert canaries(namespace)
    assert "True" == namespace.condition(NAME, "Degraded")["status"]

    revision = namespace.rollout(NAME)["revision"]
    namespace.annotate(NAME, abort=revision)
    namespace.wait(f"orderservice/{NAME}", phase("RolledBack"), BACK)
    namespace.until(lambda: not canaries(namespace), BACK, "the canary's pods are gone")
    assert served.placed
