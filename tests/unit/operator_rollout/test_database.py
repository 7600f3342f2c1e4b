"""What an embedded database's pod says of itself."""

from typing import Any, Final

import pytest

from orders_operator.api.conditions import Reason
from orders_operator.rollout.database import database_trouble
from orders_operator.rollout.pods import Trouble
from tests.unit.operator_runtime import sights

DENIED: Final = "initdb: error: could not create directory: Permission denied"


def pod(message: str, *first: str, name: str = "postgresql") -> dict[str, Any]:
    """Return a pod whose container crashes with a message; `first` are its init containers."""
    ended = {"exitCode": 1, "reason": "Error", "message": message}
    return {
        "metadata": {"name": "shop-postgresql-0"},
        "spec": {"initContainers": [{"name": it} for it in first]},
        "status": {
            "containerStatuses": [
                {
                    "name": name,
                    "restartCount": 3,
                    "state": {"waiting": {"reason": "CrashLoopBackOff"}},
                    "lastState": {"terminated": ended},
                }
            ]
        },
    }


@pytest.mark.parametrize(
    "message",
    [
        DENIED,
        "mkdir: cannot create directory '/var/lib/postgresql/data/pgdata': Permission denied",
        "chmod: changing permissions of 'pgdata': Operation not permitted",
        'FATAL: data directory "pgdata" has wrong ownership',
    ],
)
def test_a_volume_that_may_not_be_written_names_what_helps(message: str) -> None:
    """The message has PostgreSQL's own words, and the field that gives it the volume."""
    found = database_trouble([pod(message)])

    assert found is not None
    assert Reason.POD_CRASHING == found.reason
    assert found.message.startswith(f"The embedded database: {message}\n")
    assert "database.embedded.volumePermissions" in found.message


def test_a_field_that_is_set_already_is_not_advised() -> None:
    """Where the volume was given to PostgreSQL, something else is wrong."""
    found = database_trouble([pod(DENIED, "volume-permissions")])
    assert found == Trouble(Reason.POD_CRASHING, f"The embedded database: {DENIED}")


def test_another_crash_is_told_as_it_is() -> None:
    """PostgreSQL's last words are the message."""
    found = database_trouble([pod("PANIC: could not locate a valid checkpoint record")])
    assert found is not None
    assert "volumePermissions" not in found.message


def test_a_pod_that_starts_is_no_trouble() -> None:
    """Neither is one that nothing is known of, nor a sidecar that crashes."""
    unknown = {"metadata": {"name": "shop-postgresql-0"}, "spec": {}}
    assert database_trouble([unknown, pod(DENIED, name="istio-proxy")]) is None
    assert database_trouble([]) is None


def test_it_weighs_more_than_pods_that_fail_for_want_of_it() -> None:
    """The condition Degraded has the database's words, not those of a migration that waits."""
    wrong = Trouble(Reason.POD_CRASHING, "The embedded database: no")
    ended = {"terminated": {"exitCode": 75, "message": "the database is away"}}
    waiting = sights.pod(migrate=ended, ready=False)

    assert ("True", "MigrationFailed") == sights.of(pods=(waiting,))["Degraded"]
    assert ("True", "PodCrashing") == sights.of(pods=(waiting,), database=wrong)["Degraded"]
