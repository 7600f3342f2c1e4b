"""When an apply is not made, since it would change nothing."""

from copy import deepcopy
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders_operator.objects import Object
from orders_operator.reconcile.managed_fields import is_applied

MANAGER: Final = "us"
scalars = st.one_of(st.integers(0, 3), st.sampled_from(["a", "b"]), st.booleans())
names = st.sampled_from(["one", "two", "three"])
values: st.SearchStrategy[Any] = st.recursive(
    st.one_of(scalars, st.lists(scalars, max_size=2)),
    lambda inner: st.one_of(
        st.dictionaries(names, inner, max_size=3),
        st.dictionaries(names, st.dictionaries(names, inner, max_size=2), max_size=3).map(
            lambda found: [{"name": name, **it} for name, it in found.items()]
        ),
    ),
    max_leaves=8,
)
specs = st.dictionaries(names, values, max_size=3)


def fields(value: Any) -> Object:
    """Return the set of fields of a value: lists of named items by the name, others whole."""
    if isinstance(value, dict):
        return {f"f:{name}": fields(it) for name, it in value.items()}
    if isinstance(value, list) and value and all(isinstance(it, dict) for it in value):
        return {f'k:{{"name":"{it["name"]}"}}': {".": {}, **fields(it)} for it in value}
    return {}


def declared(spec: Object) -> Object:
    """Return an object with a spec, as it is applied."""
    metadata = {"name": "shop", "namespace": "ns", "labels": {"app": "shop"}}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": spec}


def applied(wanted: Object) -> Object:
    """Return what an apply leaves, with what an API server and others add."""
    live = deepcopy(wanted)
    given = {"metadata": {"labels": wanted["metadata"]["labels"]}, "spec": wanted["spec"]}
    entry = {"manager": MANAGER, "operation": "Apply", "fieldsV1": fields(given)}
    status = {**entry, "subresource": "status", "fieldsV1": {}}
    live["metadata"] |= {"uid": "1", "managedFields": [status, entry], "annotations": {"x": "y"}}
    _add(live["spec"])
    return live | {"status": {"replicas": 1}}


def _add(value: Any) -> None:
    """Add a field to each map, and an item to each list of named items."""
    if isinstance(value, list) and value and all(isinstance(it, dict) for it in value):
        for it in value:
            _add(it)
        value.insert(0, {"name": "proxy"})
    elif isinstance(value, dict) and value:
        for it in value.values():
            _add(it)
        value["added"] = "by somebody"


@given(specs)
def test_what_was_applied_is_held(spec: Object) -> None:
    """Whatever others have added to maps and lists meanwhile."""
    wanted = declared(spec)
    assert is_applied(applied(wanted), wanted, MANAGER)


@given(specs, specs)
def test_what_is_wanted_otherwise_is_not_held(before: Object, after: Object) -> None:
    """A field more, a field less, or another value: all of it has to be applied."""
    live = applied(declared(before))
    assert is_applied(live, declared(after), MANAGER) == (_sorted(before) == _sorted(after))


def _sorted(value: Any) -> Any:
    """Return a value with its named items in one order, which is no content of such a list."""
    if isinstance(value, dict):
        return {name: _sorted(it) for name, it in value.items()}
    if isinstance(value, list) and value and all(isinstance(it, dict) for it in value):
        return sorted((_sorted(it) for it in value), key=str)
    return value


@pytest.mark.parametrize("name", ["replicas", "paused"])
def test_what_somebody_else_has_changed_is_not_held(name: str) -> None:
    """A value that is another, or is gone."""
    wanted = declared({"replicas": 1, "paused": False})
    changed, gone = applied(wanted), applied(wanted)
    changed["spec"][name] = 7
    del gone["spec"][name]
    assert [False, False] == [is_applied(live, wanted, MANAGER) for live in (changed, gone)]


def test_what_others_have_applied_is_not_ours() -> None:
    """Nor is what was written in another way, or to a subresource."""
    wanted = declared({"replicas": 1})
    live = applied(wanted)
    assert not is_applied(live, wanted, "them")
    for entry in live["metadata"]["managedFields"]:
        entry["operation"] = "Update"
    assert not is_applied(live, wanted, MANAGER)
    assert not is_applied({"metadata": {}}, wanted, MANAGER)


def test_the_status_of_a_claim_template_is_nobodys() -> None:
    """A StatefulSet has one in each, which the operator leaves out."""
    claim = {"name": "data", "spec": {"storageClassName": "fast"}}
    wanted = declared({"volumeClaimTemplates": [claim]})
    live = applied(wanted)
    live["spec"]["volumeClaimTemplates"] = [{**claim, "status": {"phase": "Pending"}}]
    for entry in live["metadata"]["managedFields"]:
        if entry["fieldsV1"]:
            entry["fieldsV1"]["f:spec"] = {"f:volumeClaimTemplates": {}}
    assert is_applied(live, wanted, MANAGER)


@pytest.mark.parametrize(
    ("wanted", "live", "same"),
    [
        ("0.5", "500m", True),
        (1, "1", True),
        ("1000m", "1", True),
        ("1024Mi", "1Gi", True),
        ("1G", "1Gi", False),
        ("1e3", "1k", False),
        ("100m", "101m", False),
    ],
)
def test_resources_are_the_same_in_any_unit(wanted: Any, live: str, *, same: bool) -> None:
    """The API server writes quantities in one form; elsewhere a text is the text it is."""
    declared_one = declared({"resources": {"limits": {"cpu": wanted}}, "annotation": str(wanted)})
    found = applied(declared_one)
    found["spec"]["resources"]["limits"] = {"cpu": live}
    assert same == is_applied(found, declared_one, MANAGER)
    found["spec"]["annotation"] = live
    assert (str(wanted) == live and same) == is_applied(found, declared_one, MANAGER)
