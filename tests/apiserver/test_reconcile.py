"""From a declaration to pods that serve, and what becomes of drift."""

from tests.apiserver.world import IMAGE, NAME, World


async def test_a_declaration_becomes_a_service(world: World) -> None:
    """An OrderService that is declared has pods that serve, and says so."""
    await world.declare(replicas=2)
    await world.settle()
    assert [IMAGE, IMAGE] == await world.images()
    status = await world.status()
    assert (2, 2) == (status["replicas"], status["readyReplicas"])
    assert ("True", "Available") == await world.condition("Ready")
    assert "Stable" == (await world.rollout())["phase"]
    assert f"http://{NAME}.{world.namespace}.svc" == status["url"]
