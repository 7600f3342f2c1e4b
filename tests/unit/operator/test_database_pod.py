"""The embedded database's pod takes what is declared of all pods, but not by an upgrade alone."""

from typing import Final

from hypothesis import given
from msgspec.structs import replace

from orders_operator.api.spec import OrderService
from orders_operator.resources.database_revision import (
    POD_TEMPLATE,
    DatabaseRevision,
    controller_revision,
    database_revision,
    stored,
)
from tests.unit.operator.specs import Object, service, services

SPOT: Final = {"tolerations": [{"key": "spot", "operator": "Exists"}]}
FAST: Final = {"nodeSelector": {"disk": "fast"}, "affinity": {"nodeAffinity": {}}}


def made(declared: OrderService, kept: DatabaseRevision | None = None) -> DatabaseRevision:
    """Return the revision that a pass makes, as the next pass finds it."""
    first = database_revision(declared, kept, None)
    assert first is not None
    found = stored(declared, [controller_revision(declared, first)], None)
    assert found is not None
    return found


def before(declared: OrderService) -> DatabaseRevision:
    """Return the revision that a release kept which gave the database nothing of podTemplate."""
    kept = database_revision(service(database={"embedded": {}}), None, None)
    assert kept is not None
    written = controller_revision(declared, replace(kept, template={"rendered": "otherwise"}))
    del written["metadata"]["annotations"][POD_TEMPLATE]
    found = stored(declared, [written], None)
    assert found is not None
    return found


@given(services)
def test_a_second_pass_changes_nothing(declared: OrderService) -> None:
    """What is kept is what is declared, so it is found again."""
    if declared.spec.database.embedded is not None:
        assert made(declared) == made(declared, made(declared))


def test_an_upgrade_alone_changes_no_pod() -> None:
    """The template stays, and its ControllerRevision too, but for what is now known of it."""
    declared = service(podTemplate={**SPOT, **FAST}, inheritedMetadata={"labels": {"team": "a"}})
    kept = before(declared)
    found = made(declared, kept)

    assert (kept.hash, kept.template, kept.number) == (found.hash, found.template, found.number)
    assert found == made(declared, found)


def test_what_is_declared_after_an_upgrade_is_taken() -> None:
    """Tolerations and labels roll the pod; where it may run was settled with its claim."""
    kept = made(service(), before(service()))
    found = made(service(podTemplate={**SPOT, **FAST, "labels": {"team": "a"}}), kept)

    assert (kept.number + 1, "a") == (found.number, found.template["metadata"]["labels"]["team"])
    assert SPOT["tolerations"] == found.template["spec"]["tolerations"]
    assert set() == {"nodeSelector", "affinity"} & found.template["spec"].keys()


def test_where_a_pod_may_run_is_settled_with_its_claim() -> None:
    """A node selector that is declared first stays, whatever it becomes for other pods."""
    kept = made(service(podTemplate=FAST))
    found = made(service(podTemplate={**SPOT, "nodeSelector": {"disk": "slow"}}), kept)

    for template in (kept.template, found.template):
        assert template["spec"] == {**template["spec"], **FAST}
    assert kept == made(service(), kept)


def test_taking_it_back_gives_the_revision_that_was() -> None:
    """Without tolerations the database is what it was before them."""
    first = made(service())
    again = made(service(), made(service(podTemplate=SPOT), first))
    assert (first.hash, first.template) == (again.hash, again.template)


def test_volume_permissions_of_a_release_before_stay() -> None:
    """A spec that was stored with them on is what was kept, also if only the pod tells of it."""
    declared = service(database={"embedded": {"volumePermissions": True}})
    revision = database_revision(declared, None, None)
    assert revision is not None
    live: Object = {"spec": {"template": revision.template, "volumeClaimTemplates": []}}
    kept = stored(declared, [], live)

    assert kept is not None
    found = database_revision(declared, kept, live)
    assert found is not None
    assert revision.template["spec"] == found.template["spec"]
    assert kept.number == found.number
