"""The CustomResourceDefinition says what the types say, in the form that Kubernetes takes."""

from collections.abc import Iterator
from typing import Any

import kubernetes_validate
import msgspec
import pytest
from hypothesis import given
from jsonschema import Draft202012Validator

from orders_operator.api.conditions import ConditionType, Reason
from orders_operator.api.crd import definition
from orders_operator.api.rules import ROOT, RULES
from orders_operator.api.spec import OrderServiceSpec
from orders_operator.objects import Object
from tests.helpers.operator.specs import service, specs


def version() -> Object:
    """Return the only version of the definition."""
    [found] = definition()["spec"]["versions"]
    return dict(found)


def schema() -> Object:
    """Return the schema of the whole resource."""
    return dict(version()["schema"]["openAPIV3Schema"])


def walk(node: Any, path: str = "") -> Iterator[tuple[str, Object]]:
    """Yield every schema in a schema, with its path."""
    yield path, node
    for name, part in node.get("properties", {}).items():
        yield from walk(part, f"{path}.{name}")
    for under in ("items", "additionalProperties"):
        if isinstance(node.get(under), dict):
            yield from walk(node[under], f"{path}[]")


def test_kubernetes_takes_it() -> None:
    """It is a valid object of the oldest and the newest Kubernetes."""
    for kubernetes in ("1.33", kubernetes_validate.latest_version()):
        kubernetes_validate.validate(definition(), kubernetes, strict=True)


def test_the_schema_is_structural() -> None:
    """Each part has a type, and none a reference, an alternative, or a null (KEP-1979)."""
    for path, part in walk(schema()):
        if "x-kubernetes-int-or-string" in part:
            assert "type" not in part, path
            continue
        assert isinstance(part.get("type"), str), path
        assert set() == {"$ref", "anyOf", "oneOf", "allOf", "nullable"} & part.keys(), path


def test_every_field_of_the_spec_is_described() -> None:
    """`kubectl explain` has words for each."""
    described = {
        path: "description" in part
        for path, part in walk(schema()["properties"]["spec"], "spec")
        if not path.endswith("[]")
    }
    assert 60 < len(described)
    assert [] == [path for path, said in described.items() if not said]


@given(specs)
def test_what_the_schema_takes_the_operator_reads(spec: Object) -> None:
    """A spec that fits the CRD's schema is decoded, and the other way round."""
    Draft202012Validator(schema()["properties"]["spec"]).validate(spec)
    assert spec["image"] == msgspec.convert(spec, OrderServiceSpec).image


def test_defaults_are_written_once() -> None:
    """The defaults of the schema are those of the types: the API server adds nothing new."""
    properties = schema()["properties"]["spec"]["properties"]
    written = {name: part["default"] for name, part in properties.items() if "default" in part}
    least = msgspec.to_builtins(service().spec)

    assert {"replicas", "logLevel", "resources"} <= written.keys()
    for name, default in written.items():
        assert default == said(default, least[name]), name


def said(default: Any, found: Any) -> Any:
    """Return of a value what a default speaks of: nulls are left out of a schema."""
    if not isinstance(default, dict):
        return found
    return {key: said(part, found[key]) for key, part in default.items()}


def _takes(size: int | str) -> bool:
    """Whether the schema has nothing against a size of the database's volume."""
    embedded = {"storage": {"size": size}}
    spec = {"image": "a", "database": {"embedded": embedded}}
    return bool(Draft202012Validator(schema()["properties"]["spec"]).is_valid(spec))


@pytest.mark.parametrize(
    "size", ["1Gi", "10G", "0.5Ti", ".5Gi", "1e9", "007Gi", 1, 1073741824], ids=repr
)
def test_a_size_is_a_quantity(size: int | str) -> None:
    """What Kubernetes takes for the size of a claim is taken."""
    assert _takes(size)


@pytest.mark.parametrize("size", ["", "1 Gi", "1GB", "ten", "-1Gi", "0", "0.0Gi", 0, -1], ids=repr)
def test_a_size_is_more_than_none(size: int | str) -> None:
    """What no claim could have is refused with the spec, not when the claim is made."""
    assert not _takes(size)


@pytest.mark.parametrize(
    ("label", "taken"),
    [("shop", True), ("", True), ("a_b.c-1", True), ("a b", False), ("-", False)],
)
def test_a_label_is_one_that_objects_may_have(label: str, *, taken: bool) -> None:
    """One value that no object may have would keep every child from being applied."""
    spec = {
        "image": "a",
        "database": {"embedded": {}},
        "inheritedMetadata": {"labels": {"team": label}},
    }
    assert taken == Draft202012Validator(schema()["properties"]["spec"]).is_valid(spec)


def test_replicas_can_be_scaled_and_the_status_written_alone() -> None:
    """It has the scale and the status subresource, whose paths exist in the schema."""
    subresources = version()["subresources"]
    properties = schema()["properties"]

    assert {"status", "scale"} == subresources.keys()
    for path in subresources["scale"].values():
        _, part, field = path.split(".")
        assert field in properties[part]["properties"]


def test_kubectl_get_shows_what_was_promised() -> None:
    """The columns, and those that `-o wide` adds; their conditions and fields exist."""
    columns = version()["additionalPrinterColumns"]

    assert ["Ready", "Replicas", "Version", "Migration", "Rollout", "Age"] == [
        it["name"] for it in columns if it["priority"] == 0
    ]
    assert ["Reason", "Message", "Stalled"] == [it["name"] for it in columns if it["priority"]]
    names = definition()["spec"]["names"]
    assert (["osvc"], ["all"]) == (names["shortNames"], names["categories"])


def test_every_rule_is_in_the_schema() -> None:
    """Each CEL rule stands where the API server finds it, once for each place of its struct."""
    found = {
        rule["rule"]
        for _, part in walk(schema())
        for rule in part.get("x-kubernetes-validations", ())
    }
    assert {rule.rule for rules in (*RULES.values(), ROOT) for rule in rules} == found


def test_reasons_are_what_kubernetes_allows() -> None:
    """Conditions and reasons are words in CamelCase, each once (metav1.Condition)."""
    for word in (*ConditionType, *Reason):
        assert word.isalnum()
        assert word[0].isupper()
    assert len(Reason) == len({str(it) for it in Reason})


def test_a_status_that_is_written_has_no_defaults() -> None:
    """What the operator writes is what it reads, or each pass would write it again.

    Only one that nobody has written says that nobody has looked.
    """
    status = schema()["properties"]["status"]
    assert {"observedGeneration": -1} == status.pop("default")
    assert '"default"' not in msgspec.json.encode(status).decode()
