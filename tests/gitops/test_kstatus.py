"""Flux and Helm wait by kstatus: the program here is a main function around that very package."""

import json

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orders_operator.objects import Object
from orders_operator.reconcile.observed import Observed
from orders_operator.reconcile.summary import summarise
from tests.gitops.situations import SITUATIONS, resource
from tests.helpers.operator.observations import NOW, conditions
from tests.operator.unit.reconcile.test_summary_properties import observations
from tools.go_programs import CHARTS, MISSING, available

if not available():
    pytest.skip(MISSING, allow_module_level=True)

pytestmark = pytest.mark.timeout(900)  # the first run builds the tools


def kstatus(resources: list[Object]) -> list[tuple[str, str]]:
    """Return status and message of each."""
    answers = json.loads(CHARTS.run("kstatus", text=json.dumps(resources)))
    return [(it["status"], it["message"]) for it in answers]


def test_waits_end_where_nothing_will_move() -> None:
    """Only what no waiting mends is Failed, and only what is done is Current."""
    found = kstatus([it.resource for it in SITUATIONS.values()])

    wanted = {name: it.kstatus for name, it in SITUATIONS.items()}
    assert wanted == {name: it[0] for name, it in zip(SITUATIONS, found, strict=True)}
    told = {name: it[1] for name, it in zip(SITUATIONS, found, strict=True)}
    assert [] == [name for name, it in SITUATIONS.items() if it.says not in told[name]]


@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(st.lists(st.lists(observations, min_size=1, max_size=3), min_size=30, max_size=60))
def test_what_is_said_is_what_is_read(histories: list[list[Observed]]) -> None:
    """Whatever was seen, Failed is where Stalled is True, and Current where both are False."""
    said, wanted = [], []
    for history in histories:
        status: Object = {}
        for observation in history:
            status = summarise(observation, status, NOW)
        found = conditions(status)
        both = found["Reconciling"][0], found["Stalled"][0]
        wanted.append(
            {("True", "False"): "InProgress", ("False", "True"): "Failed"}.get(both, "Current")
        )
        said.append(resource(status, generation=history[-1].generation))

    assert wanted == [status for status, _ in kstatus(said)]
