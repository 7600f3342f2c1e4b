"""The embedded database's pod takes what is declared of all pods, but not by an upgrade alone."""

from typing import TYPE_CHECKING, Final

from hypothesis import given
from msgspec import json
from msgspec.structs import replace

from orders_operator.api.spec import OrderService
from orders_operator.resources.claim import placed_by
from orders_operator.resources.database_revision import (
    POD_TEMPLATE,
    DatabaseRevision,
    Written,
    controller_revision,
    database_revision,
    stored,
)
from orders_operator.resources.postgres import secret, stateful_set
from tests.helpers.operator.specs import service, services

if TYPE_CHECKING:
    from orders_operator.objects import Object

SPOT: Final = {"tolerations": [{"key": "spot", "operator": "Exists"}]}
FAST: Final = {"nodeSelector": {"disk": "fast"}, "affinity": {"nodeAffinity": {}}}
OTHERWISE: Final = {"rendered": "otherwise", "spec": {}}


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
    written = controller_revision(declared, replace(kept, template=OTHERWISE))
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


def test_a_claim_says_where_its_pod_may_run() -> None:
    """It outlives what else is kept: declared anew, the pod comes up where its volume is."""
    first = made(service(podTemplate=FAST))
    [claim] = first.claims
    again = database_revision(
        service(podTemplate={**SPOT, "nodeSelector": {"disk": "slow"}}),
        None,
        None,
        placed_by(claim),
    )
    assert again is not None
    assert again.template["spec"] == {**again.template["spec"], **FAST, **SPOT}
    assert first.claims == again.claims
    assert placed_by({"metadata": {}}) is None


def test_no_tool_that_tracks_by_labels_deletes_a_claim() -> None:
    """Argo CD takes what has an instance's label and no owner for its own, unless it is told."""
    [claim] = made(service()).claims
    options = claim["metadata"]["annotations"]["argocd.argoproj.io/sync-options"]
    assert {"Prune=false", "Delete=false"} == set(options.split(","))


def test_what_another_release_has_written_is_left_as_it_is() -> None:
    """It may know more fields; a ControllerRevision cannot be changed, and need not be."""
    kept = made(service(podTemplate=SPOT))
    pod_template = {**json.decode(kept.written.pod_template), "newer": 1}
    written = Written({**kept.written.declaration, "newer": 1}, json.encode(pod_template).decode())
    found = made(service(podTemplate=SPOT), replace(kept, written=written))
    assert (kept.hash, kept.number, written) == (found.hash, found.number, found.written)


def test_a_database_of_which_only_the_hash_is_known() -> None:
    """What is declared rolls nothing if that has the hash, and is another revision if not."""
    declared = service(podTemplate={**SPOT, **FAST, "annotations": {"team": "a"}})
    first = made(declared)
    live = stateful_set(declared, first, secret(declared, "a", None))
    kept = stored(declared, [], live)
    assert kept is not None

    same = made(declared, kept)
    assert (first.hash, first.template) == (same.hash, same.template)
    other = made(service(podTemplate=FAST), kept)
    assert first.hash != other.hash
    assert FAST["nodeSelector"] == other.template["spec"]["nodeSelector"]


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
    live: Object = {
        "metadata": {},
        "spec": {"template": revision.template, "volumeClaimTemplates": []},
    }
    kept = stored(declared, [], live)

    assert kept is not None
    found = database_revision(declared, kept, live)
    assert found is not None
    assert revision.template["spec"] == found.template["spec"]
    assert kept.number == found.number
