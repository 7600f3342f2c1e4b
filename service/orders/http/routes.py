"""Finds the endpoint's path for a request's path, by which metrics and the gate name it."""

from collections.abc import Iterable
from typing import Final

_SEPARATOR: Final = "/"


class Routes:
    """The paths of endpoints, some with `{name}` for a part; a literal path goes first."""

    def __init__(self, templates: Iterable[str]) -> None:
        self._static: dict[str, str] = {}
        self._dynamic: dict[int, list[tuple[list[str], str]]] = {}
        for template in templates:
            parts = template.split(_SEPARATOR)
            if "{" in template:
                self._dynamic.setdefault(len(parts), []).append((parts, template))
            else:
                self._static[template] = template
        for found in self._dynamic.values():
            found.sort(key=lambda route: [_is_open(part) for part in route[0]])

    def of(self, path: str) -> str | None:
        """Return the path of the endpoint, or None if no endpoint matches."""
        if path in self._static:
            return path
        parts = path.split(_SEPARATOR)
        for wanted, template in self._dynamic.get(len(parts), ()):
            if all(
                part if _is_open(want) else want == part
                for want, part in zip(wanted, parts, strict=True)
            ):
                return template
        return None


def _is_open(part: str) -> bool:
    return part.startswith("{")
