"""A new revision: how it comes in, what makes it go back, and what a person may say of it."""

import pytest

from tests.helpers.apiserver.fake_kubelet import Fate, own_container
from tests.helpers.apiserver.operator_namespace import IMAGE, NEXT, World
from tests.helpers.apiserver.track_metrics import UNREADY, traffic

_AWAY = UNREADY.splitlines()[0]
FAILURES = [
    (Fate.CRASHING, "PodCrashing", "it cannot serve"),
    (Fate.UNMIGRATED, "MigrationFailed", "it is odd"),
    (Fate.MISNAMED, "ImagePullFailed", "couldn't parse"),
]


async def test_a_new_image_replaces_the_pods(world: World) -> None:
    """Pods of a new image replace the others, and there is never one less than wanted."""
    await world.declare(replicas=2)
    await world.settle()
    first = (await world.rollout())["stable"]
    await world.change(image=NEXT)
    seen = set()
    while await world.images() != [NEXT, NEXT]:
        await world.reconcile()
        await world.sync()
        seen.add((await world.rollout())["phase"])
        assert (await world.deployment())["status"]["availableReplicas"] >= 2
    await world.settle()
    assert {"Progressing"} == seen
    rollout = await world.rollout()
    assert ("Stable", True) == (rollout["phase"], rollout["stable"] != first)
    assert 2 == await world.count("controllerrevisions")


@pytest.mark.parametrize(("fate", "reason", "message"), FAILURES)
async def test_what_fails_goes_back(world: World, fate: Fate, reason: str, message: str) -> None:
    """A revision whose pods fail is given up, and the stable one has all pods again."""
    await world.declare(replicas=2)
    await world.settle()
    stable = (await world.rollout())["stable"]
    world.kubelet.fates[NEXT] = fate
    await world.change(image=NEXT)
    await world.settle()
    assert [IMAGE, IMAGE] == await world.images()
    rollout = await world.rollout()
    assert ("RolledBack", stable) == (rollout["phase"], rollout["stable"])
    assert reason == rollout["failed"]["reason"]
    assert ("True", reason) == await world.condition("Degraded")
    assert ("False", reason) == await world.condition("Progressing")
    assert message in (await world.said("Degraded"))["message"]
    assert ("Warning", reason) in await world.events()


async def test_what_failed_is_not_tried_again(world: World) -> None:
    """A failed revision stays failed for a new process too, until the spec is another."""
    await world.declare()
    await world.settle()
    world.kubelet.fates[NEXT] = Fate.CRASHING
    await world.change(image=NEXT)
    await world.settle()
    world.kubelet.fates.clear()
    world.restart()
    await world.settle()
    assert [IMAGE] == await world.images()
    assert "RolledBack" == (await world.rollout())["phase"]
    await world.change(image="orders/service:3")
    await world.settle()
    assert ["orders/service:3"] == await world.images()
    assert ("False", "AsExpected") == await world.condition("Degraded")


async def test_the_stable_spec_again_forgets_the_failure(world: World) -> None:
    """Declaring what serves anyway ends a rollback without a new pod."""
    await world.declare()
    await world.settle()
    before = {pod["metadata"]["uid"] for pod in await world.pods()}
    world.kubelet.fates[NEXT] = Fate.CRASHING
    await world.change(image=NEXT)
    await world.settle()
    await world.change(image=IMAGE)
    await world.settle()
    assert before == {pod["metadata"]["uid"] for pod in await world.pods()}
    rollout = await world.rollout()
    assert ("Stable", False) == (rollout["phase"], "failed" in rollout)
    assert ("True", "Available") == await world.condition("Ready")


async def test_a_failed_revision_is_tried_again_when_told(world: World) -> None:
    """`retry` tries just this failure again."""
    await world.declare()
    await world.settle()
    world.kubelet.fates[NEXT] = Fate.CRASHING
    await world.change(image=NEXT)
    await world.settle()
    failed = (await world.rollout())["failed"]
    await world.tell(retry=f"{failed['revision']}@2020-01-01T00:00:00Z")
    await world.settle()
    assert [IMAGE] == await world.images()
    world.kubelet.fates.clear()
    await world.tell(retry=f"{failed['revision']}@{failed['at']}")
    await world.settle()
    assert [NEXT] == await world.images()
    assert "Stable" == (await world.rollout())["phase"]


async def test_pods_that_never_serve_are_late(world: World) -> None:
    """A revision whose deadline is over goes back."""
    await world.declare()
    await world.settle()
    world.kubelet.fates[NEXT] = Fate.STARTING
    await world.change(image=NEXT)
    await world.settle()
    assert "Progressing" == (await world.rollout())["phase"]
    assert ("True", "RollingOut") == await world.condition("Progressing")
    world.deployments.late.add("shop")
    await world.settle()
    assert [IMAGE] == await world.images()
    assert "ProgressDeadlineExceeded" == (await world.rollout())["failed"]["reason"]


@pytest.mark.parametrize(
    ("fate", "why"),
    [
        (Fate.MIGRATING, "init container migrate is still running"),
        (
            Fate.UNREADY,
            f"container orders is running but not ready, /readyz answers 503: {_AWAY}",
        ),
    ],
)
async def test_what_is_missing_at_the_deadline_is_told(world: World, fate: Fate, why: str) -> None:
    """The new pods are counted, not the old ones that serve; with what they do instead."""
    async with traffic(world.kubelet) as served:
        served.unready.add(NEXT)
        await world.declare(replicas=3, rollout={"progressDeadline": "60s"})
        await world.settle()
        world.kubelet.fates[NEXT] = fate
        await world.change(image=NEXT)
        await world.settle()
        [new] = [pod for pod in await world.pods() if own_container(pod)["image"] == NEXT]
        world.deployments.late.add("shop")
        await world.settle()
    assert (await world.rollout())["failed"]["message"] == (
        "The deadline of 60 s has passed. 1 of 3 pods are new, 0 of them ready."
        f" {new['metadata']['name']}: {why}."
    )


async def test_a_first_revision_that_is_late_says_why(world: World) -> None:
    """There is nothing to go back to, so its condition says it."""
    async with traffic(world.kubelet) as served:
        served.unready.add(IMAGE)
        world.kubelet.fates[IMAGE] = Fate.UNREADY
        await world.declare()
        await world.settle()
        world.deployments.late.add("shop")
        await world.settle()
        said = await world.said("Degraded")
    assert "ProgressDeadlineExceeded" == said["reason"]
    assert said["message"].startswith("1 of 1 pods are new, 0 of them ready. shop-")
    assert "/readyz answers 503: [-]database failed" in said["message"]


async def test_a_pull_that_fails_is_waited_for(world: World) -> None:
    """A registry may come back: it is told at once, and given up at the deadline, in its words."""
    await world.declare()
    await world.settle()
    world.kubelet.fates[NEXT] = Fate.UNPULLED
    await world.change(image=NEXT)
    await world.settle()
    assert "Progressing" == (await world.rollout())["phase"]
    assert ("True", "ImagePullFailed") == await world.condition("Degraded")
    world.kubelet.fates.clear()
    await world.settle()
    assert [NEXT] == await world.images()

    world.kubelet.fates["orders/service:3"] = Fate.UNPULLED
    await world.change(image="orders/service:3")
    await world.settle()
    world.deployments.late.add("shop")
    await world.settle()
    assert [NEXT] == await world.images()
    failed = (await world.rollout())["failed"]
    assert "ProgressDeadlineExceeded" == failed["reason"]
    assert "ErrImagePull: no such" in failed["message"]


@pytest.mark.parametrize("strategy", ["RollingUpdate", "Canary"])
async def test_pods_that_a_quota_refuses_are_told(world: World, strategy: str) -> None:
    """In the server's words: at once, and in the failure at the deadline."""
    await world.declare(rollout={"strategy": strategy})
    await world.settle()
    await world.quota(**{"count/pods": "0"})
    await world.change(image=NEXT)
    await world.settle()
    degraded = await world.said("Degraded")
    assert ("True", "PodsRefused") == (degraded["status"], degraded["reason"])
    assert "exceeded quota: few" in degraded["message"]

    world.clock.wait(700)
    world.deployments.late |= {"shop"} if strategy == "RollingUpdate" else set()
    await world.settle()
    failed = (await world.rollout())["failed"]
    assert "ProgressDeadlineExceeded" == failed["reason"]
    assert "exceeded quota: few" in failed["message"]
    assert "exceeded quota: few" in (await world.said("Degraded"))["message"]
    assert [IMAGE] == await world.images()


async def test_a_database_that_is_away_is_no_fault_of_a_revision(world: World) -> None:
    """A migration that may pass is waited for, and said."""
    await world.declare()
    await world.settle()
    world.kubelet.fates[NEXT] = Fate.DATABASE_AWAY
    await world.change(image=NEXT)
    await world.settle()
    assert "Progressing" == (await world.rollout())["phase"]
    assert ("True", "MigrationFailed") == await world.condition("Degraded")
    world.kubelet.fates.clear()
    await world.settle()
    assert [NEXT] == await world.images()


async def test_the_first_revision_has_nothing_to_go_back_to(world: World) -> None:
    """A first revision that fails stays, says why, and is followed by the next."""
    world.kubelet.fates[IMAGE] = Fate.CRASHING
    await world.declare()
    await world.settle()
    assert [IMAGE] == await world.images()
    assert ("True", "PodCrashing") == await world.condition("Degraded")
    await world.change(image=NEXT)
    await world.settle()
    assert [NEXT] == await world.images()
    assert ("True", "Available") == await world.condition("Ready")


async def test_a_rollback_by_hand_halts(world: World) -> None:
    """With `rollback: Manual` a failed revision stays where it is until somebody says so."""
    await world.declare(replicas=2, rollout={"rollback": "Manual"})
    await world.settle()
    world.kubelet.fates[NEXT] = Fate.CRASHING
    await world.change(image=NEXT)
    await world.settle()
    assert "Halted" == (await world.rollout())["phase"]
    assert [IMAGE, IMAGE, NEXT] == await world.images()
    await world.tell(abort=(await world.rollout())["revision"])
    await world.settle()
    assert [IMAGE, IMAGE] == await world.images()
    rollout = await world.rollout()
    assert ("RolledBack", "Aborted") == (rollout["phase"], rollout["failed"]["reason"])


async def test_a_rollout_is_called_back(world: World) -> None:
    """`abort` brings the stable revision back; what was left behind says nothing to the next."""
    await world.declare()
    await world.settle()
    world.kubelet.fates[NEXT] = Fate.STARTING
    await world.change(image=NEXT)
    await world.settle()
    await world.tell(abort=(await world.rollout())["revision"])
    await world.settle()
    assert [IMAGE] == await world.images()
    await world.change(image="orders/service:3")
    await world.settle()
    assert ["orders/service:3"] == await world.images()


async def test_a_rollout_is_overtaken_by_the_next(world: World) -> None:
    """A spec that changes while a rollout is under way is what is rolled out."""
    await world.declare(replicas=2)
    await world.settle()
    world.kubelet.fates[NEXT] = Fate.STARTING
    await world.change(image=NEXT)
    await world.settle()
    await world.change(image="orders/service:3")
    await world.settle()
    assert ["orders/service:3"] * 2 == await world.images()
    assert "Stable" == (await world.rollout())["phase"]


async def test_a_pod_that_was_evicted_is_no_failure(world: World) -> None:
    """A pod that a node has ended is replaced, and says nothing of its revision."""
    await world.declare()
    await world.settle()
    await world.kubelet.evict((await world.pods())[0])
    await world.settle()
    assert 2 == len(await world.pods())
    assert ("True", "Available") == await world.condition("Ready")
    assert ("False", "AsExpected") == await world.condition("Degraded")


async def test_a_revision_that_is_overlong_ago_is_dropped(world: World) -> None:
    """As many revisions are kept as `history` says, and those in use."""
    await world.declare(rollout={"history": 1})
    for number in range(2, 6):
        await world.settle()
        await world.change(image=f"orders/service:{number}")
    await world.settle()
    assert 2 == await world.count("controllerrevisions")
    kept = await world.names("apps/v1", "controllerrevisions")
    assert f"shop-{(await world.rollout())['stable']}" in kept


async def test_a_revision_that_is_wanted_again_has_the_highest_number(world: World) -> None:
    """Going back by the spec is a rollout like any other, to the template that is kept."""
    await world.declare()
    await world.settle()
    first = (await world.rollout())["stable"]
    await world.change(image=NEXT)
    await world.settle()
    await world.change(image=IMAGE)
    await world.settle()
    assert first == (await world.rollout())["stable"]
    found = await world.get("apps/v1", "controllerrevisions", f"shop-{first}")
    assert 3 == found["revision"]


async def test_a_rollout_outlives_its_operator(world: World) -> None:
    """Another process goes on with a rollout that is under way."""
    await world.declare(replicas=2)
    await world.settle()
    await world.change(image=NEXT)
    for _ in range(20):
        world.restart()
        await world.reconcile()
        await world.sync()
    assert [NEXT, NEXT] == await world.images()
    assert "Stable" == (await world.rollout())["phase"]


async def test_a_restart_is_a_rollout(world: World) -> None:
    """`orders.dev/restart` replaces the pods by the strategy, once."""
    await world.declare()
    await world.settle()
    before = {pod["metadata"]["uid"] for pod in await world.pods()}
    await world.tell(restart="2026-01-01T00:00:00Z")
    await world.settle()
    after = {pod["metadata"]["uid"] for pod in await world.pods()}
    assert (1, set()) == (len(after), before & after)
    await world.tell(restart=None)
    await world.settle()
    assert after == {pod["metadata"]["uid"] for pod in await world.pods()}


@pytest.mark.parametrize("fate", [Fate.READY, Fate.CRASHING, Fate.UNMIGRATED, Fate.UNPULLED])
@pytest.mark.parametrize("strategy", ["RollingUpdate", "Canary"])
async def test_ready_stays_true_while_callers_are_served(
    world: World, strategy: str, fate: Fate
) -> None:
    """After each pass of a rollout that goes well, and of one that goes back."""
    await world.declare(replicas=2, rollout={"strategy": strategy})
    await world.settle()
    world.kubelet.fates[NEXT] = fate
    await world.change(image=NEXT)
    said = set()
    for _ in range(12):
        await world.reconcile()
        said.add(await world.condition("Ready"))
        await world.sync()
    assert {("True", "Available")} == said
