"""The commands of a person to a rollout: annotations that name the revision they are meant for.

So an annotation that was left behind does not affect the next revision, and repeating one is
harmless.
"""

from collections.abc import Mapping
from typing import Any

from msgspec import Struct

from orders_operator.api.rollout import ABORT, PAUSE, PROMOTE, RETRY
from orders_operator.api.status import FailedRevision


class Commands(Struct, frozen=True):
    """The values of the annotations; empty where there is none."""

    promote: str = ""
    abort: str = ""
    pause: str = ""
    retry: str = ""

    def retries(self, failed: FailedRevision) -> bool:
        """Whether the annotation names this very failure, to try it again."""
        return self.retry == f"{failed.revision}@{failed.at}"


def commands(resource: Mapping[str, Any]) -> Commands:
    """Read the commands from a resource."""
    annotations = resource["metadata"].get("annotations") or {}
    return Commands(*(str(annotations.get(name) or "") for name in (PROMOTE, ABORT, PAUSE, RETRY)))
