"""Decides by its trace id whether a request is recorded, before any span exists.

These are the six samplers of OpenTelemetry's specification, with the SDK's own arithmetic, so that
services on both sides of a call agree. They need nothing from the SDK.
"""

from collections.abc import Callable
from typing import Final

Sampler = Callable[[str, bool | None], bool]
"""Takes the trace id and whether the parent was sampled (None without a parent)."""

_LOW: Final = slice(16, None)
"""The digits of a trace id that count. All have as many, so they are ordered as numbers are."""
_PARENT_BASED: Final = "parentbased_"


def sampler(name: str, ratio: float) -> Sampler:
    """Return the sampler of this name; `ratio`, 0 to 1, counts for those of a ratio."""
    root = name.removeprefix(_PARENT_BASED)
    number = {"always_on": 1 << 64, "always_off": 0}.get(root, round(ratio * (1 << 64)))
    bound = f"{number:016x}" if number < 1 << 64 else "g"  # which is beyond every digit

    def by_id(trace_id: str, _: bool | None) -> bool:  # noqa: FBT001  the shape of a Sampler
        return trace_id[_LOW] < bound

    def by_parent(trace_id: str, parent: bool | None) -> bool:  # noqa: FBT001
        return by_id(trace_id, None) if parent is None else parent

    return by_parent if name.startswith(_PARENT_BASED) else by_id
