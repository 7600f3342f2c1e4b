"""What is read of a status that another release of the operator may have written."""

from typing import Any

import pytest

from orders_operator.api.status import FailedRevision, RolloutStatus
from orders_operator.reconcile.read import rollout_before

FAILED = {"revision": "b", "reason": "Aborted", "message": "no", "at": "2026-01-02T03:04:05Z"}


@pytest.mark.parametrize(
    ("unknown", "phase"),
    [
        ({"phase": "Cooling"}, "Progressing"),
        ({"phase": "RolledBack", "step": "one"}, "RolledBack"),
        ({"phase": None}, "Progressing"),
    ],
)
def test_what_is_not_understood_takes_nothing_else_along(
    unknown: dict[str, Any], phase: Any
) -> None:
    """Which revision is stable, and which one failed, is kept."""
    found = {"revision": "b", "stable": "a", "failed": FAILED, **unknown}
    kept = rollout_before({"status": {"rollout": found}})

    assert (
        RolloutStatus(phase=phase, revision="b", stable="a", failed=FailedRevision(**FAILED))
        == kept
    )


@pytest.mark.parametrize("status", [{}, {"rollout": None}, {"rollout": 7}, None])
def test_without_a_status_there_is_nothing_to_keep(status: Any) -> None:
    """A new resource, or one whose status a restore has lost."""
    assert RolloutStatus(phase="Stable") == rollout_before({"status": status})
