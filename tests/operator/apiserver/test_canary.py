"""A canary: its steps, what its metrics say, and what a person says of it."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from orders_operator.api.spec import API_VERSION, PLURAL
from tests.helpers.apiserver.fake_kubelet import Fate
from tests.helpers.apiserver.operator_namespace import IMAGE, NAME, NEXT, World
from tests.helpers.apiserver.track_metrics import Traffic, traffic

STEPS = [{"weight": 25, "duration": "10s"}, {"weight": 50, "duration": "10s"}]


@pytest.fixture
async def served(world: World) -> AsyncIterator[Traffic]:
    """Have pods that answer requests and show their metrics."""
    async with traffic(world.kubelet) as made:
        yield made


async def begin(world: World, **rollout: Any) -> str:
    """Have a canary beside four stable pods, in its first step; its revision."""
    analysis = {"interval": "10s", "failureLimit": 0, "maxErrorRatio": 0.01}
    canary = {"steps": STEPS, "analysis": analysis}
    declared = {"strategy": "Canary", "canary": canary, "bake": "10s", **rollout}
    await world.declare(replicas=4, rollout=declared)
    await world.settle()
    await world.change(image=NEXT)
    await world.settle()
    found = await world.rollout()
    assert ("Canary", 1) == (found["phase"], found["step"])
    revision: str = found["revision"]
    return revision


async def go_on(world: World) -> dict[str, Any]:
    """Have a window and a step go by; where the rollout is then."""
    world.clock.wait(11)
    await world.settle()
    return await world.rollout()


@pytest.mark.parametrize("kind", ["controllerrevisions", "deployments", "configmaps"])
async def test_a_canary_that_cannot_be_asked_for_has_not_begun(world: World, kind: str) -> None:
    """A quota is not the revision's fault: it has its time when there is room for it."""
    source = {"configMapKeyRef": {"name": "settings", "key": "mode"}}
    await world.config("settings", mode="slow")
    await world.declare(rollout={"strategy": "Canary"})
    await world.settle()
    group = ".apps" if kind != "configmaps" else ""
    await world.quota(**{f"count/{kind}{group}": "0"})
    await world.change(image=NEXT, podTemplate={"env": [{"name": "MODE", "valueFrom": source}]})
    await world.settle()
    world.clock.wait(3600)
    await world.settle()
    assert "Canary" == (await world.rollout())["phase"]
    assert "exceeded quota" in (await world.said("Degraded"))["message"]
    assert [IMAGE] == await world.images()

    await world.delete("v1", "resourcequotas", "few")
    await world.settle()
    assert [IMAGE, NEXT] == await world.images()
    world.kubelet.fates[NEXT] = Fate.STARTING
    for pod in await world.pods():
        if pod["spec"]["containers"][0]["image"] == NEXT:
            await world.delete("v1", "pods", pod["metadata"]["name"])
    world.clock.wait(3600)
    await world.settle()
    assert "Canary" == (await world.rollout())["phase"]


@pytest.mark.usefixtures("served")
async def test_a_canary_goes_step_by_step(world: World) -> None:
    """Good windows take a canary from step to step, and to the end; all stable pods stay."""
    await begin(world)
    assert [IMAGE] * 4 + [NEXT] == await world.images()
    assert ("True", "Canary") == await world.condition("Progressing")
    assert ("True", "Available") == await world.condition("Ready")
    second = await go_on(world)
    assert ("Canary", 2, 50) == (second["phase"], second["step"], second["weight"])
    assert [IMAGE] * 4 + [NEXT] * 4 == await world.images()
    baking = await go_on(world)
    assert ("Baking", second["stable"]) == (baking["phase"], baking["stable"])
    assert [NEXT] * 4 == await world.images()
    assert ("True", "Baking") == await world.condition("Progressing")
    assert "Stable" == (await go_on(world))["phase"]
    assert ("False", "RolledOut") == await world.condition("Progressing")
    assert {NAME} == await world.names("apps/v1", "deployments")


async def test_a_canary_that_fails_goes_back(world: World, served: Traffic) -> None:
    """A canary that answers too much with 500 is given up, with its numbers."""
    revision = await begin(world)
    served.failing.add(NEXT)
    found = await go_on(world)
    assert ("RolledBack", "AnalysisFailed") == (found["phase"], found["failed"]["reason"])
    assert "10 of 100 requests to the canary were answered 5xx" in found["failed"]["message"]
    assert (100, 10) == tuple(found["analysis"]["canary"][name] for name in ("requests", "errors"))
    assert [IMAGE] * 4 == await world.images()
    assert revision == found["failed"]["revision"]
    assert {NAME} == await world.names("apps/v1", "deployments")


async def test_what_fails_once_it_is_everywhere_goes_back(world: World, served: Traffic) -> None:
    """In its bake the new revision is judged on, alone, and gone back from."""
    revision = await begin(world)
    while (await go_on(world))["phase"] != "Baking":
        pass
    assert [NEXT] * 4 == await world.images()
    served.failing.add(NEXT)
    found = await go_on(world)
    assert ("RolledBack", "AnalysisFailed") == (found["phase"], found["failed"]["reason"])
    assert revision == found["failed"]["revision"]
    assert ("bake", 4) == (found["analysis"]["stage"], found["analysis"]["canary"]["pods"])
    assert [IMAGE] * 4 == await world.images()


async def test_what_fails_while_it_is_promoted_goes_back(world: World, served: Traffic) -> None:
    """The canary and the new pods are judged beside those that are still there of the old ones."""
    await begin(world)
    await go_on(world)
    await world.quota(pods="0")  # so that the promotion takes its time
    assert "Promoting" == (await go_on(world))["phase"]
    served.failing.add(NEXT)
    found = await go_on(world)
    assert ("RolledBack", "AnalysisFailed") == (found["phase"], found["failed"]["reason"])
    assert "promotion" == found["analysis"]["stage"]
    assert [IMAGE] * 4 == await world.images()


async def test_without_requests_it_ends_as_unjudged(world: World, served: Traffic) -> None:
    """Once everything runs, nothing waits for ever: it says that it could not be judged."""
    await begin(world)
    while (await go_on(world))["phase"] != "Baking":
        pass
    served.requests = 0
    found = await go_on(world)
    assert ("Stable", "Inconclusive") == (found["phase"], found["analysis"]["verdict"])
    said = await world.said("Progressing")
    assert ("False", "Unjudged") == (said["status"], said["reason"])
    assert "0 of the 100 requests" in said["message"]
    assert ("Normal", "Unjudged") in await world.events()
    before = await world.status()
    await go_on(world)
    assert before == await world.status()


async def test_a_rolling_update_is_judged_where_that_is_declared(
    world: World, served: Traffic
) -> None:
    """By its new pods, beside the old ones and after them; what fails is rolled back."""
    analysis = {"interval": "10s", "failureLimit": 0}
    rolling = {"maxSurge": "50%", "maxUnavailable": 1, "analysis": analysis}
    await world.declare(
        replicas=4, rollout={"rollingUpdate": rolling, "bake": "10s", "minReadySeconds": 3}
    )
    await world.settle()
    spec = (await world.deployment())["spec"]
    assert {"maxSurge": "50%", "maxUnavailable": 1} == spec["strategy"]["rollingUpdate"]
    assert (3, 603) == (spec["minReadySeconds"], spec["progressDeadlineSeconds"])
    await world.change(image=NEXT)
    await world.settle()
    assert "Baking" == (await world.rollout())["phase"]
    assert "Stable" == (await go_on(world))["phase"]

    served.failing.add("orders/service:3")
    await world.change(image="orders/service:3")
    await world.settle()
    assert "RolledBack" == (await go_on(world))["phase"]
    assert [NEXT] * 4 == await world.images()


async def test_what_all_pods_suffer_is_not_the_canary_s_fault(
    world: World, served: Traffic
) -> None:
    """Errors of both tracks hold the rollout, and end nothing."""
    await begin(world)
    served.failing |= {IMAGE, NEXT}
    found = await go_on(world)
    assert ("Canary", 1) == (found["phase"], found["step"])
    assert "Inconclusive" == found["analysis"]["verdict"]
    assert ("True", "Inconclusive") == await world.condition("Progressing")


async def test_what_makes_all_pods_unready_is_not_the_canary_s_fault(
    world: World, served: Traffic
) -> None:
    """With the database away no pod is ready, and what the stable pods answered still counts."""
    await begin(world)
    served.failing |= {IMAGE, NEXT}
    world.kubelet.fates |= {IMAGE: Fate.STARTING, NEXT: Fate.STARTING}
    found = await go_on(world)
    assert ("Canary", "Inconclusive") == (found["phase"], found["analysis"]["verdict"])
    assert "The stable pods are affected as well." in found["analysis"]["message"]


async def test_too_few_requests_say_nothing(world: World, served: Traffic) -> None:
    """A window with too few requests goes on until there are enough."""
    await begin(world)
    served.requests = 3
    assert "Inconclusive" == (await go_on(world))["analysis"]["verdict"]
    served.requests = 100
    assert 2 == (await go_on(world))["step"]


async def test_pods_that_cannot_be_read_hold_the_rollout(world: World, served: Traffic) -> None:
    """Without the metrics of a canary nothing is promoted, and it says which pod that is."""
    served.away.add(NEXT)
    await begin(world)
    for _ in range(3):
        found = await go_on(world)
        assert ("Canary", 1) == (found["phase"], found["step"])
        assert "Inconclusive" == found["analysis"]["verdict"]
        assert "shop-canary-" in found["analysis"]["message"]
        assert "cannot be read: it answered 503." in found["analysis"]["message"]
    served.away = {IMAGE}
    await go_on(world)
    found = await go_on(world)
    assert ("Canary", 1) == (found["phase"], found["step"])
    assert "0 of 4 stable pods" in found["analysis"]["message"]


@pytest.mark.usefixtures("served")
async def test_a_canary_pod_that_was_replaced_is_not_promoted(world: World) -> None:
    """What it answered went with it: another window begins."""
    await begin(world)
    [name] = [it["metadata"]["name"] for it in await world.pods() if "canary" in _track(it)]
    await world.delete("v1", "pods", name)
    await world.calm()
    found = await go_on(world)
    assert ("Canary", 1) == (found["phase"], found["step"])
    assert f"Deleted or replaced during the window: {name}." == found["analysis"]["message"]
    assert 2 == (await go_on(world))["step"]


def _track(pod: dict[str, Any]) -> str:
    return str(pod["metadata"]["labels"]["orders.dev/track"])


@pytest.mark.usefixtures("served")
async def test_a_canary_whose_pods_crash_goes_back(world: World) -> None:
    """A canary pod that crashes ends the rollout before any window does."""
    await world.declare(replicas=4, rollout={"strategy": "Canary"})
    await world.settle()
    world.kubelet.fates[NEXT] = Fate.CRASHING
    await world.change(image=NEXT)
    await world.settle()
    assert "PodCrashing" == (await world.rollout())["failed"]["reason"]
    assert [IMAGE] * 4 == await world.images()


@pytest.mark.usefixtures("served")
async def test_a_canary_whose_pods_do_not_come_is_late(world: World) -> None:
    """A step whose pods do not serve in time ends the rollout."""
    world.kubelet.fates[NEXT] = Fate.STARTING
    await begin(world, progressDeadline="60s")
    world.clock.wait(62)
    await world.settle()
    failed = (await world.rollout())["failed"]
    assert "ProgressDeadlineExceeded" == failed["reason"]
    assert "1 of 1 pods are new, 0 of them ready. shop-canary-" in failed["message"]
    assert "init container migrate is waiting: PodInitializing" in failed["message"]


@pytest.mark.usefixtures("served")
async def test_who_scales_is_told_of_the_pods_that_it_scales(world: World) -> None:
    """Those that the selector finds and `replicas` counts: a canary's come on top of them."""
    await begin(world)
    scale = await world.kube.request("GET", world.url(API_VERSION, PLURAL, f"{NAME}/scale"))
    labels = dict(it.split("=") for it in scale["status"]["selector"].split(","))
    found = await world.kube.list("v1", "pods", world.namespace, labels)
    assert 4 == scale["spec"]["replicas"] == scale["status"]["replicas"] == len(found)
    status = await world.status()
    assert (5, 4) == (status["replicas"], status["stableReplicas"])


@pytest.mark.usefixtures("served")
async def test_a_canary_is_promoted_by_hand(world: World) -> None:
    """`promote` takes a canary to the end at once."""
    revision = await begin(world)
    await world.tell(promote=revision)
    await world.settle()
    assert [NEXT] * 4 == await world.images()
    assert "Stable" == (await world.rollout())["phase"]


@pytest.mark.usefixtures("served")
async def test_a_canary_is_held_by_hand(world: World) -> None:
    """`pause` keeps a canary at its step, and removing it lets it go on."""
    revision = await begin(world)
    await world.tell(pause=revision)
    await world.settle()
    assert ("True", "RolloutPaused") == await world.condition("Progressing")
    found = await go_on(world)
    assert ("Paused", 1) == (found["phase"], found["step"])
    await world.tell(pause=None)
    found = await go_on(world)
    assert ("Canary", 2) == (found["phase"], found["step"])


@pytest.mark.usefixtures("served")
async def test_a_canary_is_called_back(world: World) -> None:
    """`abort` ends a canary."""
    revision = await begin(world)
    await world.tell(abort=revision)
    await world.settle()
    assert [IMAGE] * 4 == await world.images()
    assert ("True", "Aborted") == await world.condition("Degraded")


async def test_a_canary_that_halts_waits_for_a_person(world: World, served: Traffic) -> None:
    """With `rollback: Manual` a failed canary stays at its step; `promote` overrules it."""
    revision = await begin(world, rollback="Manual")
    served.failing.add(NEXT)
    found = await go_on(world)
    assert ("Halted", 1) == (found["phase"], found["step"])
    assert [IMAGE] * 4 + [NEXT] == await world.images()
    await world.tell(promote=revision)
    await world.settle()
    assert [NEXT] * 4 == await world.images()


@pytest.mark.usefixtures("served")
async def test_another_operator_goes_on_with_the_step(world: World) -> None:
    """A takeover loses the window that is open, and not the step."""
    await begin(world)
    second = await go_on(world)
    assert 2 == second["step"]
    world.restart()
    await world.settle()
    assert second["step"] == (await world.rollout())["step"]
    for _ in range(2):
        await go_on(world)
    assert "Stable" == (await go_on(world))["phase"]


@pytest.mark.usefixtures("served")
async def test_a_spec_that_changes_in_a_canary_begins_anew(world: World) -> None:
    """The next revision is a canary beside the same stable pods, from the first step."""
    await begin(world)
    assert 2 == (await go_on(world))["step"]
    await world.change(image="orders/service:3")
    await world.settle()
    found = await world.rollout()
    assert ("Canary", 1) == (found["phase"], found["step"])
    assert [IMAGE] * 4 + ["orders/service:3"] == await world.images()
    await world.change(image=IMAGE)
    await world.settle()
    assert [IMAGE] * 4 == await world.images()
    assert "Stable" == (await world.rollout())["phase"]


@pytest.mark.usefixtures("served")
async def test_without_pods_there_is_nothing_to_compare(world: World) -> None:
    """A service of no pods gets a new revision at once."""
    await world.declare(replicas=0, rollout={"strategy": "Canary"})
    await world.settle()
    await world.change(image=NEXT)
    await world.settle()
    assert "Stable" == (await world.rollout())["phase"]
    assert {NAME} == await world.names("apps/v1", "deployments")


@pytest.mark.usefixtures("served")
async def test_scaled_to_none_a_canary_begins_again(world: World) -> None:
    """Nothing is decided without pods; with them it is at its first step once more."""
    await begin(world)
    assert 2 == (await go_on(world))["step"]
    await world.change(replicas=0)
    await world.settle()
    world.clock.wait(3600)
    found = await go_on(world)
    assert ("Canary", 1, False) == (found["phase"], found["step"], "failed" in found)
    assert [] == await world.images()
    assert ("False", "AsExpected") == await world.condition("Degraded")
    await world.change(replicas=4)
    await world.settle()
    assert 1 == (await world.rollout())["step"]
    assert [IMAGE] * 4 + [NEXT] == await world.images()
    assert 2 == (await go_on(world))["step"]


@pytest.mark.usefixtures("served")
async def test_it_says_when_it_looks_again(world: World) -> None:
    """A canary asks to be looked at when its window or its step may end."""
    await begin(world)
    world.clock.wait(4)
    again = await world.reconcile()
    assert again is not None
    assert 5 < again <= 6


@pytest.mark.usefixtures("served")
async def test_a_canary_at_rest_writes_nothing(world: World) -> None:
    """Between two windows a pass writes nothing, whatever the windows before said."""
    await begin(world)
    await go_on(world)
    world.operator.kube.written()
    await world.reconcile()
    assert [] == world.operator.kube.written()


@pytest.mark.usefixtures("served")
async def test_a_rotated_secret_leaves_the_canary_at_its_step(world: World) -> None:
    """New content of a Secret reaches both tracks, and is no canary of its own."""
    revision = await begin(world)
    before = {pod["metadata"]["uid"] for pod in await world.pods()}
    await world.secret("database", "postgresql://orders:other@db/orders")
    await world.settle()
    after = {pod["metadata"]["uid"] for pod in await world.pods()}
    assert set() == before & after
    assert [IMAGE] * 4 + [NEXT] == await world.images()
    found = await world.rollout()
    assert (revision, "Canary", 1) == tuple(found[it] for it in ("revision", "phase", "step"))
