"""The operator that renders pods otherwise, of which the tests of upgrades have an image."""

import pytest

from orders_operator.objects import Object
from orders_operator.resources import pod, postgres
from tests.e2e.images.otherwise.otherwise import TIMEOUT, patch
from tests.helpers.operator.specs import children, service


def _timeouts(template: Object) -> set[int]:
    return {
        probe["timeoutSeconds"]
        for container in template["spec"]["containers"]
        for name, probe in container.items()
        if name.endswith("Probe")
    }


def _rendered() -> list[set[int]]:
    found = children(service())
    names = ("Deployment", "shop"), ("StatefulSet", "shop-postgresql")
    return [_timeouts(found[name]["spec"]["template"]) for name in names]


def test_every_probe_has_another_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the service and of its database, and only once the operator is patched."""
    for module in (pod, postgres):
        monkeypatch.setattr(module, "_probe", module._probe)
    assert TIMEOUT not in set().union(*_rendered())

    patch()

    assert [{TIMEOUT}, {TIMEOUT}] == _rendered()
