"""How many pods there are once autoscaling is removed."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from orders_operator.api.scaling import Autoscaling
from orders_operator.api.spec import OrderServiceSpec
from orders_operator.api.status import Autoscaled
from orders_operator.reconcile.autoscaled import autoscaled, autoscaled_before
from tests.helpers.operator.specs import service

SPEC = service().spec
SCALED = replace(SPEC, autoscaling=Autoscaling(max=9), replicas=2)


def live(pods: int) -> dict[str, Any]:
    """Return a Deployment that an autoscaler has given pods."""
    return {"spec": {"replicas": pods}}


def after(spec: OrderServiceSpec, before: Autoscaled | None, pods: int) -> Autoscaled | None:
    """Return what is kept by a pass."""
    return autoscaled(spec, before, live(pods), known=True)


def test_the_live_number_stays_until_replicas_differs() -> None:
    """Whatever changes the Deployment by hand then; afterwards `replicas` counts again."""
    kept = after(SCALED, None, 7)
    assert Autoscaled(2) == kept
    without = replace(SCALED, autoscaling=None)
    kept = after(without, kept, 7)
    assert Autoscaled(2, 7) == kept
    assert kept == after(without, kept, 1)
    assert None is after(replace(without, replicas=3), kept, 7)
    assert None is after(without, None, 3)


def test_another_number_in_the_same_change_counts_at_once() -> None:
    """It was said when autoscaling was removed."""
    assert None is after(replace(SCALED, autoscaling=None, replicas=4), Autoscaled(2), 7)


def test_a_deployment_that_cannot_be_read_loses_nothing() -> None:
    """What is live is looked up when it can be; one that is gone is made as declared."""
    without = replace(SCALED, autoscaling=None)
    assert Autoscaled(2) == autoscaled(without, Autoscaled(2), None, known=False)
    assert None is autoscaled(without, Autoscaled(2), None, known=True)


@pytest.mark.parametrize("status", [{}, {"autoscaled": None}, {"autoscaled": "x"}, None])
def test_what_is_not_understood_is_not_there(status: Any) -> None:
    """A status of another release, or none."""
    assert None is autoscaled_before({"status": status})


@given(
    st.lists(st.tuples(st.booleans(), st.integers(0, 4)), min_size=1, max_size=8),
    st.integers(0, 9),
)
def test_without_a_word_nothing_is_scaled(changes: list[tuple[bool, int]], pods: int) -> None:
    """A change of spec gives other pods than live only where `replicas` says another number."""
    kept: Autoscaled | None = None
    number, last = pods, None
    for scales, replicas in changes:
        spec = replace(SCALED if scales else replace(SCALED, autoscaling=None), replicas=replicas)
        kept = after(spec, kept, number)
        if not scales:
            wanted = replicas if kept is None or kept.pods is None else kept.pods
            if last == (True, replicas) and wanted != number:
                raise AssertionError(f"{number} pods became {wanted}")
            number = wanted
        last = (scales, replicas)
