"""The samples: what they declare is taken, and runs where the restricted standard is enforced."""

from pathlib import Path
from typing import Final

import pytest
import yaml
from jsonschema import Draft202012Validator

from orders_operator.api.crd import structural
from orders_operator.api.spec import KIND, OrderServiceSpec
from orders_operator.objects import Object
from tests.helpers.operator.specs import children, service
from tests.helpers.paths import ROOT

SAMPLES: Final = sorted((ROOT / "k8s" / "samples").glob("*.yaml"))


def spec(sample: Path) -> Object:
    """Return the spec of a sample's OrderService."""
    objects = yaml.safe_load_all(sample.read_text(encoding="utf-8"))
    [found] = [it["spec"] for it in objects if it["kind"] == KIND]
    return dict(found)


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_a_sample_declares_what_there_is(sample: Path) -> None:
    """Each field is one of the CRD's, and has a value that it takes."""
    declared = spec(sample)
    Draft202012Validator(structural(OrderServiceSpec)).validate(declared)
    assert declared.keys() <= structural(OrderServiceSpec)["properties"].keys()


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.stem)
def test_a_sample_needs_no_root(sample: Path) -> None:
    """No container of it runs as another user than its pod, or has a capability."""
    pods = [it["spec"]["template"]["spec"] for it in children(service(**spec(sample))).values()
            if "template" in it.get("spec", {})]  # fmt: skip
    for pod in pods:
        assert pod["securityContext"]["runAsNonRoot"] is True
        for container in (*pod.get("initContainers", ()), *pod["containers"]):
            assert "runAsUser" not in container["securityContext"]
            assert {"drop": ["ALL"]} == container["securityContext"]["capabilities"]
    assert 1 <= len(pods)
