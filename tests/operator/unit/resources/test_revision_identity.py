"""What makes a revision: what was declared, and nothing that an operator adds to it."""

from typing import Any

import pytest
from hypothesis import given
from msgspec import json

from orders_operator.api.spec import OrderService
from orders_operator.objects import Object
from orders_operator.resources.database_revision import (
    DatabaseRevision,
    controller_revision,
    database_revision,
    stored,
)
from orders_operator.resources.declaration import complete, declaration
from orders_operator.resources.postgres import secret, stateful_set
from orders_operator.resources.revision import Revision, wanted
from tests.helpers.operator.specs import revision, service, services

LATER = "2026-01-02T03:04:05Z"
FULL: Object = {
    "image": "shop:2",
    "database": {"secretRef": {"name": "db", "key": "dsn"}},
    "migrations": {"timeout": "90s"},
    "resources": {"limits": {"memory": "256Mi"}},
    "tracing": {"endpoint": "http://collector:4318", "ratio": 0.5},
    "topologySpread": {"maxSkew": 2},
    "shutdown": {"delay": "2s"},
    "podTemplate": {"labels": {"team": "shop"}, "env": [{"name": "A", "value": "1"}]},
}


@pytest.mark.parametrize(
    ("spec", "expected"),
    [
        ({}, "6575b91dd6"),
        ({"database": {"cluster": "pg"}}, "ac65c6b3e6"),
        (FULL, "4d982a42b9"),
    ],
)
def test_the_hash_is_the_same_in_every_release(spec: Object, expected: str) -> None:
    """Golden: another value here would roll the pods of everybody who upgrades the operator."""
    assert expected == revision(service(**spec)).hash


def test_the_database_has_the_same_hash_in_every_release() -> None:
    """Golden, as the one above."""
    found = database_revision(service(), None, None)
    assert found is not None
    assert "44136fa355" == found.hash


def test_a_password_has_the_same_hash_in_every_release() -> None:
    """Golden: another one would restart every embedded database."""
    kept = database_revision(service(), None, None)
    assert kept is not None
    live = stateful_set(service(), kept, secret(service(), "a", None))
    annotations = live["spec"]["template"]["metadata"]["annotations"]
    assert {"orders.dev/config-hash": "ff6c0e5a7b16bb61"} == annotations


def test_what_is_at_its_default_does_not_count() -> None:
    """An API server adds the defaults of a newer CRD to what is stored without them."""
    explicit: dict[str, Any] = {
        "migrations": {"enabled": True, "timeout": "60s"},
        "shutdown": {"delay": "5s", "gracePeriod": "30s"},
        "podTemplate": {"labels": {}, "env": []},
        "database": {"embedded": {"image": "postgres:17", "retention": "Retain"}},
    }
    assert revision(service()).hash == revision(service(**explicit)).hash


@given(services)
def test_a_kept_revision_is_found_whatever_renders_it(declared: OrderService) -> None:
    """Its template is used as it is, though this operator would render another."""
    mine = revision(declared)
    other = Revision(
        "0123456789", {"rendered": "otherwise"}, json.decode(json.encode(mine.declaration))
    )
    assert other == wanted(declared, declaration(declared), [other])


@given(services)
def test_a_declaration_of_a_newer_release_is_found(declared: OrderService) -> None:
    """Fields that this operator does not know are passed over."""
    kept = Revision("0123456789", {}, {**complete(declaration(declared)), "novelty": {"a": 1}})
    assert kept == wanted(declared, declaration(declared), [kept])


def test_another_declaration_is_another_revision() -> None:
    """Each field that makes pods counts."""
    hashes = {revision(service(**{name: value})).hash for name, value in FULL.items()}
    assert len(FULL) == len(hashes - {revision(service()).hash})


def test_two_declarations_never_share_a_hash() -> None:
    """One of a release whose defaults were others has a hash that is taken: it gets another."""
    mine = revision(service())
    assert mine.declaration is not None
    older = {**mine.declaration, "migrations": {"enabled": True, "timeout": "45s"}}
    kept = Revision(mine.hash, {"rendered": "otherwise"}, older)
    found = wanted(service(), declaration(service()), [kept])

    assert found.hash != kept.hash
    assert mine.template == found.template


def test_a_revision_known_from_its_pods_alone_keeps_its_template() -> None:
    """A ControllerRevision that somebody deleted is made again, and nothing rolls."""
    mine = revision(service())
    running = Revision(mine.hash, {"read": "from the Deployment"})
    found = wanted(service(), declaration(service()), [running])
    assert Revision(mine.hash, running.template, mine.declaration) == found


def test_a_restart_is_another_revision() -> None:
    """The annotation is part of the identity; one that is gone, or older, is no wish."""
    before, after = revision(service()), revision(service(), restart=LATER)
    assert before.hash != after.hash

    said = {"orders.dev/restart": LATER}
    assert after == wanted(service(), declaration(service(), said), [before, after])
    assert after == wanted(service(), declaration(service()), [after, before])
    older = {"orders.dev/restart": "2026-01-01T00:00:00Z"}
    assert after == wanted(service(), declaration(service(), older), [before, after])


@pytest.mark.parametrize(
    ("before", "after", "newer"),
    [
        ("2026-01-02T03:00:00+02:00", "2026-01-02T02:00:00Z", True),
        ("2026-01-02T01:00:00Z", "2026-01-02T03:00:00+02:00", False),
        ("2026-01-02", "2026-01-02T01:00:00Z", True),
        ("now", LATER, True),
        (LATER, "now", False),
        ("", "now", True),
    ],
)
def test_restarts_are_compared_as_times(before: str, after: str, *, newer: bool) -> None:
    """In whatever zone they are written; what is no time is before every time."""
    kept = revision(service(), restart=before)
    said = {"orders.dev/restart": after}
    found = wanted(service(), declaration(service(), said), [kept])
    assert newer == (found.hash != kept.hash)


def test_a_database_keeps_the_template_of_its_declaration() -> None:
    """Whatever this operator would render, and whatever the claim is declared as by now."""
    live: Object = {
        "spec": {"volumeClaimTemplates": [{"spec": {"size": "as made"}, "status": {}}]}
    }
    first = database_revision(service(), None, None)
    assert first is not None
    otherwise = {"rendered": "otherwise", "spec": {}}
    older = DatabaseRevision(first.hash, first.declared, otherwise, [], written=first.written)
    kept = stored(service(), [controller_revision(service(), older)], live)
    bigger = service(database={"embedded": {"storage": {"size": "9Gi"}, "retention": "Delete"}})
    found = database_revision(bigger, kept, live)

    assert found is not None
    assert ("Delete", otherwise, [{"spec": {"size": "as made"}}]) == (
        found.declared.retention,
        found.template,
        found.claims,
    )
    other = database_revision(service(database={"embedded": {"image": "postgres:18"}}), kept, live)
    assert other is not None
    assert other.hash != found.hash


def test_a_database_that_the_spec_has_left_goes_on_as_it_was() -> None:
    """It is what was declared last, with the retention of its StatefulSet."""
    first = database_revision(service(), None, None)
    assert first is not None
    policy = {"persistentVolumeClaimRetentionPolicy": {"whenDeleted": "Delete"}}
    live: Object = {"spec": {**policy, "volumeClaimTemplates": first.claims}}
    kept = stored(service(), [controller_revision(service(), first)], live)

    assert kept is not None
    assert kept == database_revision(service(database={"cluster": "pg"}), kept, live)
    assert ("Delete", first.template) == (kept.declared.retention, kept.template)
