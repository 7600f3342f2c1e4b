"""The health check for Argo CD, run by Lua of the version that Argo CD's own runtime has."""

from functools import cache
from typing import Final

import pytest
import yaml
from lupa.lua51 import LuaRuntime

from orders_operator.objects import Object
from tests.gitops.situations import SITUATIONS, Situation, resource
from tests.helpers.paths import ROOT

FILE: Final = ROOT / "k8s" / "argocd" / "argocd-cm.yaml"
KEY: Final = "resource.customizations.health.orders.dev_OrderService"
_LIBRARIES: Final = ("io", "os", "debug", "string", "math", "coroutine", "require")
"""What Argo CD keeps from health checks, and a bit more that they can do without."""


def health(found: Object) -> tuple[str, str]:
    """Return health and message of an OrderService."""
    lua = LuaRuntime(unpack_returned_tuples=True, register_eval=False, register_builtins=False)
    lua_globals = lua.globals()
    for name in _LIBRARIES:
        lua_globals[name] = None
    lua_globals["obj"] = lua.table_from(found, recursive=True)
    answer = lua.execute(script())
    return answer["status"], answer["message"]


@cache
def script() -> str:
    """Return the check, as it stands in the patch of Argo CD's ConfigMap."""
    patch = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    assert [KEY] == list(patch["data"])
    text: str = patch["data"][KEY]
    return text


@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=list(SITUATIONS))
def test_health(situation: Situation) -> None:
    """Degraded is what no waiting mends, Suspended what a person holds, Healthy what is done."""
    status, message = health(situation.resource)

    assert situation.argo == status
    assert situation.says in message


@pytest.mark.parametrize("status", [{}, {"conditions": []}, {"observedGeneration": 1}])
def test_a_status_without_conditions_is_on_its_way(status: Object) -> None:
    """Nothing that a status may lack is an error of the check."""
    assert "Progressing" == health(resource(status))[0]


def test_a_resource_without_a_status_is_on_its_way() -> None:
    """Where the CRD is older than its default, a new resource has none."""
    found = resource({})
    del found["status"]
    assert "Progressing" == health(found)[0]
