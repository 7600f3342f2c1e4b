"""Finds the endpoint's path for a request's path, by which metrics and the gate name it.

Paths are found as Litestar finds them: part by part, and a part that is spelt out goes first, even
where it leads nowhere. So with `/orders/batch`, `/orders/batch/cancel` is not an order's
`/orders/{id}/cancel`.
"""

from collections.abc import Iterable
from typing import Any, Final

LONGEST: Final = 200
"""Characters of a path that are routed and shown: Litestar remembers a thousand paths for good."""

_SEPARATOR: Final = "/"
_OPEN: Final = "{}"
"""Stands for a part that is a parameter."""
_END: Final = "/"
"""Where a path ends, its template."""


class Routes:
    """The paths of endpoints, some with `{name}` for a part."""

    def __init__(self, templates: Iterable[str]) -> None:
        self._root: dict[str, Any] = {}
        for template in templates:
            node = self._root
            for part in template.split(_SEPARATOR):
                node = node.setdefault(_OPEN if part.startswith("{") else part, {})
            node[_END] = template

    def of(self, path: str) -> str | None:
        """Return the path of the endpoint, or None if no endpoint matches."""
        node = self._root
        for part in path.split(_SEPARATOR):
            further = node.get(part)
            if further is None:
                further = node.get(_OPEN) if part else None
                if further is None:
                    return None
            node = further
        found: str | None = node.get(_END)
        return found
