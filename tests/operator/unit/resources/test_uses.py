"""Which kinds a resource has children of: of the others, none need be listed."""

import pytest
from hypothesis import given

from orders_operator.objects import Object
from orders_operator.resources.kinds import uses
from tests.helpers.operator.specs import desired, service, specs


@pytest.mark.parametrize(
    ("kind", "spec"),
    [
        ("HorizontalPodAutoscaler", {"autoscaling": {"max": 3}}),
        ("Ingress", {"expose": {"ingress": {"host": "orders.test"}}}),
        ("HTTPRoute", {"expose": {"httpRoute": {"parentRefs": [{"name": "gateway"}]}}}),
    ],
)
def test_what_is_declared_is_used(kind: str, spec: Object) -> None:
    """And not used without."""
    assert uses(service(**spec), kind, database=True)
    assert not uses(service(), kind, database=True)


def test_a_database_has_kinds_of_its_own() -> None:
    """Whether it is declared, or is left and still there."""
    used = {
        (kind, there): uses(service(), kind, database=there)
        for kind in ("Secret", "StatefulSet")
        for there in (True, False)
    }
    assert all(there is it for (_, there), it in used.items())


@given(specs)
def test_every_child_is_of_a_kind_that_is_used(spec: Object) -> None:
    """Or its list could fail, and nobody would be told."""
    declared = service(**spec)
    database = declared.spec.database.embedded is not None
    kinds = {child["kind"] for child in desired(declared)}
    assert {kind for kind in kinds if not uses(declared, kind, database=database)} == set()
