"""The page of the operator's settings and metrics."""

import re

import pytest
from prometheus_client.parser import text_string_to_metric_families

from orders_common.settings import ConfigError
from orders_operator.settings import Settings
from orders_operator.telemetry.metrics import Metrics
from orders_operator.telemetry.reference import page
from tests.helpers.paths import ROOT

COMMITTED = ROOT / "docs" / "operator-reference.md"
ROWS = [line for line in page().splitlines() if line.startswith("| `")]
NAMES = sorted({it for row in ROWS for it in re.findall(r"`([A-Z][A-Z_]+)`", row.split(" | ")[0])})


def test_the_committed_page_is_the_generated_one() -> None:
    """`make generate` writes it."""
    assert page() == COMMITTED.read_text("utf-8")


def test_every_metric_of_a_process_is_there() -> None:
    """With its type, also those that have no series yet."""
    _, body = Metrics("1").expose("text/plain")

    for family in text_string_to_metric_families(body.decode()):
        if not family.name.endswith("_created"):
            suffix = "_total" if family.type == "counter" else ""
            start = f"| `{family.name}{suffix}` | {family.type} | "
            assert [it for it in ROWS if it.startswith(start)], family.name


@pytest.mark.parametrize("name", NAMES)
def test_every_variable_is_read(name: str) -> None:
    """A value that no variable may have is refused with the variable's name."""
    with pytest.raises(ConfigError, match=f"^{name} is "):
        Settings.from_env({name: "\n\0?"})
