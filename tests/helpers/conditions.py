"""What the conditions of an OrderService say together."""

from typing import Any, Final

_ROLLED_OUT: Final = {"Ready": "True", "Progressing": "False", "Degraded": "False"}


def rolled_out(resource: dict[str, Any]) -> bool:
    """Whether what is declared serves, and nothing else.

    Ready alone says that callers are served, by whichever revision.
    """
    status = resource.get("status") or {}
    said = {it["type"]: it["status"] for it in status.get("conditions") or ()}
    current = status.get("observedGeneration") == resource["metadata"]["generation"]
    return bool(current and _ROLLED_OUT.items() <= said.items())
