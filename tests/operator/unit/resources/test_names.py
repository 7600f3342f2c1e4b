"""Names of children: the same as ever where they fit, and never too long."""

from typing import Final

from hypothesis import given
from hypothesis import strategies as st

from orders_operator.api.spec import NAME_LENGTH, OrderService
from orders_operator.objects import Object
from orders_operator.resources.claim import claim_name
from orders_operator.resources.database_revision import database_revision, stored
from orders_operator.resources.postgres import database_name, with_database_of
from tests.helpers.operator.specs import EVERY_API, children, service

_LONGEST: Final = {"Service": 63, "StatefulSet": 52}
"""The others may have 253 characters, and are in no label."""
_UNHASHED: Final = 41
"""Longest name of an OrderService whose embedded database has it whole."""

_names = st.from_regex(r"\A[a-z]([-a-z0-9]{0,61}[a-z0-9])?\Z")


def named(name: str) -> OrderService:
    """Return an OrderService that gives every child whose name is made of its own."""
    return service(
        name,
        autoscaling={"max": 3},
        rollout={"strategy": "Canary"},
        expose={"httpRoute": {"parentRefs": [{"name": "gateway"}]}},
    )


@given(_names)
def test_every_child_has_a_name_that_it_may_have(name: str) -> None:
    """Services have names of DNS labels, StatefulSets leave their label room for a hash."""
    for kind, found in children(named(name), apis=EVERY_API):
        assert len(found) <= _LONGEST.get(kind, 253), (kind, found)
        assert found[0].isalpha()
        assert found[-1].isalnum()


@given(_names.filter(lambda name: len(name) <= _UNHASHED))
def test_a_name_that_fits_is_kept_whole(name: str) -> None:
    """Whatever release made the children, this one finds them."""
    prefixes = {found.removeprefix(name).split("-")[0] for _, found in children(named(name))}
    assert {""} == prefixes
    assert f"{name}-postgresql" == database_name(service(name))
    assert f"data-{name}-postgresql-0" == claim_name(service(name))


def test_names_that_begin_alike_stay_apart() -> None:
    """Two OrderServices whose names differ at their end share no child's name."""
    one, two = (named("x" * (NAME_LENGTH - 1) + end) for end in "ab")
    assert set() == children(one).keys() & children(two).keys()


def test_a_database_that_works_keeps_its_name() -> None:
    """One that an earlier release made with a long name is not left for an empty one."""
    longer = "x" * (_UNHASHED + 1)
    other = service(longer)
    assert f"{longer}-postgresql" != database_name(other)

    before = {"metadata": {"name": f"{longer}-postgresql", "labels": _labels(other)}}
    found = with_database_of(other, [before])
    assert f"{longer}-postgresql" == database_name(found)
    assert ("StatefulSet", f"{longer}-postgresql") in children(found)
    assert other == with_database_of(other, [])


def test_the_revision_of_a_database_is_found_whatever_its_name() -> None:
    """The ControllerRevision of the longest name is read back as it was written."""
    declared = service("x" * NAME_LENGTH)
    revisions = [it for (kind, _), it in children(declared).items() if kind == _REVISION]
    assert database_revision(declared, None, None) == stored(declared, revisions, None)


_REVISION: Final = "ControllerRevision"


def _labels(declared: OrderService) -> Object:
    found: Object = children(declared)["StatefulSet", database_name(declared)]["metadata"]
    return dict(found["labels"])
