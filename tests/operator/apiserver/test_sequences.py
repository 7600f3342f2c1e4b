"""Whatever is done in whatever order: nothing in use is lost, and all comes to rest."""

import asyncio

import pytest
from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from tests.helpers.apiserver.operator_namespace import World
from tests.helpers.apiserver.sequences import DATABASE, EVENTS, LAST, SPEC, Action, Story

quick = settings(
    # A sequence takes seconds: one that fails is told as it was found.
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
pytestmark = [pytest.mark.timeout(400), pytest.mark.usefixtures("kubeconfig")]


@settings(quick, max_examples=6)
@given(
    st.lists(st.one_of(SPEC, DATABASE, EVENTS), min_size=8, max_size=12),
    st.sampled_from(["embedded", "one"]),
)
@example([("database", "one")], "embedded")
@example([("database", "three"), ("operator", "restart")], "embedded")
@example([("strategy", "Canary"), ("database", "two"), ("lose", "one")], "one")
@example([("image", "orders/service:crashes"), ("database", "one")], "embedded")
@example([("lose", "one"), ("database", "two"), ("linger", False)], "embedded")
@example([("closed", True), ("strategy", "Canary"), ("closed", False), ("image", LAST)], "one")
@example([("auth", "jwt"), ("strategy", "Canary"), ("auth", "keys"), ("tls", True)], "one")
def test_whatever_happens(actions: list[Action], database: str) -> None:
    """No sequence of changes, failures, restarts and takeovers breaks an invariant."""
    asyncio.run(told(actions, database))


async def told(actions: list[Action], database: str) -> None:
    """Tell a story in a world of its own."""
    async with World() as world:
        await Story(world).tell(actions, database=database)
