"""Canaries: a bad one is rolled back, a good one is promoted, and callers notice neither."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import partial
from typing import Any, Final

import pytest

from chaos import nodes
from chaos.canary import VERDICT, canaries, reach, rollout, taken_over
from chaos.conftest import Serve, Try
from chaos.experiment import Experiment
from chaos.images.build import IMAGE as FAULTY
from chaos.shop import Shop
from chaos.sizes import Size
from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import ABSENT, OPERATOR, Namespace

BACK: Final = 30.0
"""Seconds from the verdict until only stable pods take requests."""
RATE: Final = 200.0
"""Requests a second that soon give a window enough to tell one failure of 20 from chance."""


@pytest.fixture(scope="module")
def watched(make: Any) -> Shop:
    """Have an OrderService of three pods whose changes come as canaries."""
    shop: Shop = make("watched", replicas=3, rollout=rollout(), migrations={"timeout": "5s"})
    return shop


@pytest.fixture
def stable(watched: Shop) -> Iterator[Shop]:
    """Have it, and give it back the spec of before."""
    spec = watched.namespace.get("orderservice", watched.name)["spec"]
    yield watched
    replaced = {"path": "/spec", "op": "replace", "value": spec}
    watched.namespace.kubectl(
        "patch", "orderservice", watched.name, "--type=json", f"--patch={json.dumps([replaced])}"
    )
    watched.ready(120)


def test_a_good_canary_is_promoted_and_no_request_fails(
    watched: Shop, size: Size, attempt: Try
) -> None:
    """Step by step, then pod by pod."""
    with attempt("canary-promoted") as it, watched.load(it) as load:
        before = watched.namespace.rollout(watched.name)["stable"]
        it.mark("another setting of the pods")
        watched.change(podTemplate={"env": [{"name": "QUEUE_LIMIT", "value": "4000"}]})
        for step in (1, 2):
            reach(watched, f"step {step}", partial(_at_step, step), VERDICT)
            it.mark(f"step {step} of 2")
        done = taken_over(it, watched, before)
        it.none("canary pods left", len(canaries(watched)))
        it.expect("revision", done["stable"], f"not {before}", met=done["stable"] != before)
        load.reach(size.requests)
        it.none("requests failed", load.stop().failed)


def test_a_canary_that_is_aborted_goes_back_and_no_request_fails(
    stable: Shop, size: Size, attempt: Try
) -> None:
    """A person says so, by an annotation."""
    with attempt("canary-aborted") as it, stable.load(it) as load:
        it.mark("another setting of the pods")
        stable.change(podTemplate={"env": [{"name": "QUEUE_LIMIT", "value": "3000"}]})
        now = reach(stable, "a canary that serves", lambda now: now.get("settledAt"), VERDICT)
        it.mark("orders.dev/abort")
        abort = f"orders.dev/abort={now['revision']}"
        stable.namespace.kubectl("annotate", "orderservice", stable.name, abort)
        went_back(it, stable, "Aborted")
        load.reach(size.requests)
        it.none("requests failed", load.stop().failed)
    stable.namespace.kubectl("annotate", "orderservice", stable.name, "orders.dev/abort-")


def test_a_canary_with_an_image_that_is_not_there_goes_back(stable: Shop, attempt: Try) -> None:
    """It never takes a request, and is given up at its deadline: a registry may come back."""
    with attempt("bad-image") as it, stable.load(it) as load:
        it.mark("an image that is not there")
        stable.change(image=ABSENT, rollout={"progressDeadline": "20s"})
        went_back(it, stable, "ProgressDeadlineExceeded")
        it.none("requests failed", load.stop().failed)


def test_a_canary_whose_migration_fails_goes_back(
    stable: Shop, serve: Serve, attempt: Try
) -> None:
    """It never takes a request: another database, whose schema was tampered with."""
    other = serve("other", replicas=0)
    other.database.sql(
        "CREATE TABLE orders_migrations (version int, name text, checksum text, release text,"
        " applied_at timestamptz); INSERT INTO orders_migrations"
        " VALUES (1, 'orders', 'another', '0.0.1', now())"
    )
    with attempt("failing-migration") as it, stable.load(it) as load:
        it.mark("a database with another schema")
        stable.change(database={"secretRef": {"name": "other-database"}})
        went_back(it, stable, "MigrationFailed")
        it.none("requests failed", load.stop().failed)


def test_a_canary_that_fails_requests_goes_back(stable: Shop, attempt: Try) -> None:
    """Of 20 requests to it one is answered 500; of all requests that is one in a hundred."""
    with attempt("errors") as it, stable.load(it, rate=RATE) as load:
        it.mark("a release that fails one request of 20")
        faults = [{"name": "FAULTS", "value": "error-ratio=0.05"}]
        stable.change(image=FAULTY, podTemplate={"env": faults}, rollout=rollout(minRequests=100))
        went_back(it, stable, "AnalysisFailed")
        report = load.stop()
        it.none("failures other than 500", report.failed - report.statuses.get("500", 0))
        share = 100 * report.failed / report.requests
        it.at_most("requests failed", share, 5, "%")


def test_a_canary_that_is_slow_goes_back(stable: Shop, attempt: Try) -> None:
    """Its p99 is three times that of the stable pods, and more."""
    with attempt("slow") as it, stable.load(it, rate=RATE) as load:
        it.mark("a release that is 250 ms late for one request of 20")
        faults = [{"name": "FAULTS", "value": "delay=250ms,delay-ratio=0.05"}]
        stable.change(
            image=FAULTY,
            podTemplate={"env": faults},
            rollout=rollout(maxLatencyIncrease=3, minRequests=100),
        )
        went_back(it, stable, "AnalysisFailed")
        it.none("requests failed", load.stop().failed)


def test_a_canary_without_requests_is_held(stable: Shop, size: Size, attempt: Try) -> None:
    """The step's time is long over: it stays, and the condition says why."""
    with attempt("no-traffic") as it:
        it.mark("another setting of the pods")
        stable.change(podTemplate={"env": [{"name": "QUEUE_LIMIT", "value": "2000"}]})
        reach(stable, "a canary that serves", lambda now: now.get("settledAt"), VERDICT)
        reach(stable, "a window", lambda now: now.get("analysis"), VERDICT)
        now = reach(
            stable,
            "held",
            lambda now: _seconds_since(now["settledAt"]) > 15 + size.lead,
            VERDICT,
        )
        verdict = now["analysis"]["verdict"]
        it.expect("verdict", verdict, "Inconclusive", met=verdict == "Inconclusive")
        it.expect("step", str(now["step"]), "1", met=now["step"] == 1)
        reason = stable.namespace.condition(stable.name, "Progressing")["reason"]
        it.expect("Progressing", reason, "Inconclusive", met=reason == "Inconclusive")
        it.note(f"It said: {now['message']}")


def test_a_canary_goes_on_when_the_leader_is_killed(
    watched: Shop, installed: Namespace, attempt: Try
) -> None:
    """Another operator takes the canary from where it is to its end."""
    with attempt("leader-killed") as it, watched.load(it) as load:
        before = watched.namespace.rollout(watched.name)["stable"]
        watched.change(podTemplate={"env": [{"name": "QUEUE_LIMIT", "value": "1000"}]})
        begun = reach(watched, "step 2", lambda now: now.get("step") == 2, VERDICT)
        leader = _leader(installed)
        operators = installed.every("pods", "app.kubernetes.io/component=operator")
        [pod] = [it for it in operators if it["metadata"]["name"] in leader]
        name = pod["metadata"]["name"]
        it.mark("kill -9 of the leader, and its pod is deleted")
        nodes.kill(pod)
        installed.kubectl("delete", "pod", name, "--grace-period=0", "--force")
        other = installed.until(
            lambda: name not in (_leader(installed) or name),
            60,
            "another leads",
        )
        it.mark("another leads")
        it.at_most("until another led", other, 20, "s")
        now = watched.namespace.rollout(watched.name)
        it.expect(
            "begun at",
            now["startedAt"],
            begun["startedAt"],
            met=now["startedAt"] == begun["startedAt"],
        )
        it.expect("step", str(now.get("step", "past")), "2 or past", met=now.get("step") != 1)
        taken_over(it, watched, before)
        it.none("requests failed", load.stop().failed)
    installed.kubectl("rollout", "status", f"deployment/{OPERATOR}", "--timeout=90s")


def went_back(it: Experiment, shop: Shop, reason: str) -> None:
    """Wait until a verdict is there and only stable pods serve; expect that quickly."""
    now = reach(shop, "a verdict", lambda now: now.get("failed"), VERDICT)
    verdict = it.mark(f"the verdict: {reason}")
    shop.namespace.until(lambda: not canaries(shop), 120, "no canary pod is left")
    back = it.mark("only stable pods are left")
    it.expect("reason", now["failed"]["reason"], reason, met=now["failed"]["reason"] == reason)
    it.at_most("until only stable pods were left", back - verdict, BACK, "s")
    shop.drained()
    degraded = shop.namespace.condition(shop.name, "Degraded")
    it.expect("Degraded", degraded["reason"], reason, met=degraded["reason"] == reason)
    it.note(f"It said: {degraded['message']}")


def _leader(installed: Namespace) -> str:
    return str(installed.get("lease", OPERATOR)["spec"].get("holderIdentity") or "")


def _at_step(step: int, now: Object) -> bool:
    return bool(now.get("step") == step)


def _seconds_since(stamp: str) -> float:
    return (datetime.now(UTC) - datetime.fromisoformat(stamp)).total_seconds()
