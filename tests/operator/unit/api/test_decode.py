"""What the operator reads of a resource that the API server has."""

from typing import Any

import pytest
from hypothesis import given

from orders_operator.api.decode import InvalidSpec, decode, legible
from orders_operator.objects import Object
from tests.helpers.operator.specs import IMAGE, service, specs, variables

METADATA = {"name": "shop", "namespace": "ns", "uid": "u-1", "generation": 1}


def message(**spec: Any) -> str:
    """Return what is said of a spec that is refused."""
    with pytest.raises(InvalidSpec) as caught:
        service(**spec)
    return str(caught.value)


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({"replicas": -1}, ["spec.replicas", ">= 0"]),
        ({"replicas": "2"}, ["spec.replicas", "`int`", "`str`"]),
        ({"logLevel": "LOUD"}, ["spec.logLevel", "LOUD"]),
        ({"monitoring": {"interval": "soon"}}, ["spec.monitoring.interval", "regex"]),
        ({"database": {"secretRef": {}}}, ["spec.database.secretRef", "name"]),
        ({"expose": {"httpRoute": {"parentRefs": []}}}, ["spec.expose.httpRoute.parentRefs"]),
        ({"image": ""}, ["spec.image"]),
        ({"tracing": {"endpoint": "http://c:99999"}}, ["spec.tracing", "c:99999", "65535"]),
        ({"tracing": {"endpoint": "http://c:port"}}, ["spec.tracing", "c:port"]),
        ({"tracing": {"endpoint": "http://:4318"}}, ["spec.tracing", "host"]),
        ({"tracing": {"endpoint": "http://[::1"}}, ["spec.tracing", "[::1"]),
    ],
)
def test_what_is_wrong_is_named(spec: Object, words: list[str]) -> None:
    """The message has the path of the field, and what it was or may be."""
    said = message(**spec)
    assert [] == [word for word in words if word not in said], said


@given(specs)
def test_a_field_of_a_newer_crd_is_passed_over(spec: Object) -> None:
    """After a rollback the CRD is newer than the operator, which goes on all the same."""
    newer = {
        "metadata": METADATA,
        "spec": {**spec, "newer": True, "monitoring": {"newer": {"more": 1}}},
    }
    older = {"metadata": METADATA, "spec": {**spec, "monitoring": {}}}

    assert decode(older) == decode(newer)


def test_a_small_ratio_is_written_in_digits() -> None:
    """The service takes no exponents."""
    tracing = {"endpoint": "http://c:4318", "ratio": 0.00001}
    assert "0.00001" == variables(service(tracing=tracing))["OTEL_TRACES_SAMPLER_ARG"]


def test_the_image_is_needed() -> None:
    """The operator never chooses which release runs."""
    with pytest.raises(InvalidSpec, match="image"):
        decode({"metadata": METADATA, "spec": {"database": {"embedded": {}}}})
    assert IMAGE == service().spec.image


def test_what_cannot_be_read_costs_nothing_else() -> None:
    """Of a spec with a mistake all other fields are read, down to those of a canary."""
    canary = {"steps": [{"weight": 5}], "analysis": {"failureLimit": "few", "minRequests": 7}}
    rollout = {"strategy": "Canary", "canary": canary, "rollback": "Manual"}
    spec = {"image": "", "database": {}, "replicas": "2", "rollout": rollout}
    found = legible({"metadata": METADATA, "spec": spec})
    assert found is not None
    rollout_read = found.spec.rollout
    assert ("Canary", "Manual") == (rollout_read.strategy, rollout_read.rollback)
    assert 5 == rollout_read.canary.steps[0].weight
    analysis = rollout_read.canary.analysis
    assert (7, 1) == (analysis.min_requests, analysis.failure_limit)


@pytest.mark.parametrize("resource", [{}, {"metadata": METADATA, "spec": None}, {"spec": {}}])
def test_too_little_to_read(resource: Object) -> None:
    """What is no resource at all is None."""
    assert legible(resource) is None


@given(specs)
def test_what_can_be_read_is_all_legible(spec: Object) -> None:
    """A spec without a mistake is read as it is."""
    resource = {"metadata": METADATA, "spec": spec}
    assert decode(resource) == legible(resource)
