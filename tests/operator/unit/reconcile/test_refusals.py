"""How often what was refused is asked for, and how long a pass waits for it."""

from datetime import UTC, datetime, timedelta
from typing import Any

from orders_operator.api.conditions import Reason
from orders_operator.reconcile.refusals import Refusals
from orders_operator.rollout.pods import Failure

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
REFUSED = Failure(Reason.APPLY_FAILED, "Service shop: no")


def service(**spec: Any) -> dict[str, Any]:
    """Return what is to be applied."""
    return {"kind": "Service", "metadata": {"name": "shop"}, "spec": spec}


def test_a_quick_refusal_is_asked_for_in_each_pass() -> None:
    """It costs nothing, and what was in the way may be gone."""
    refusals = Refusals()
    refusals.refused("uid", service(), REFUSED, NOW, 0.01)
    assert refusals.waiting("uid", service(), NOW) is None


def test_a_slow_refusal_is_repeated_from_memory() -> None:
    """Until a multiple of its time is over, for the same content of the same object only."""
    refusals = Refusals()
    refusals.refused("uid", service(), REFUSED, NOW, 10)
    assert REFUSED is refusals.waiting("uid", service(), NOW + timedelta(seconds=39))
    assert refusals.waiting("uid", service(), NOW + timedelta(seconds=40)) is None
    assert refusals.waiting("uid", service(type="NodePort"), NOW) is None
    assert refusals.waiting("other", service(), NOW) is None
    refusals.accepted("uid", service())
    assert refusals.waiting("uid", service(), NOW) is None


def test_passes_in_which_something_is_refused_come_back_later_each_time() -> None:
    """Until one in which nothing is."""
    refusals = Refusals()
    assert [0.5, 1, 2, 4] == [refusals.passed("uid", refused=True) for _ in range(4)]
    assert refusals.passed("uid", refused=False) is None
    assert 0.5 == refusals.passed("uid", refused=True)
