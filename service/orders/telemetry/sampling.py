"""Which requests are recorded, decided with integers before any span exists.

The six samplers of OpenTelemetry's specification, with the SDK's own arithmetic, so that services
on both sides of a call agree. Needs nothing of the SDK.
"""

from collections.abc import Callable
from typing import Final

Sampler = Callable[[int, bool | None], bool]
"""Takes the trace id and whether the parent was sampled (None without a parent)."""

_LOW_BITS: Final = (1 << 64) - 1
_PARENT_BASED: Final = "parentbased_"


def sampler(name: str, ratio: float) -> Sampler:
    """Return the sampler of this name; `ratio`, 0 to 1, counts for those of a ratio."""
    root = name.removeprefix(_PARENT_BASED)
    bound = {"always_on": 1 << 64, "always_off": 0}.get(root, round(ratio * (1 << 64)))

    def by_id(trace_id: int, _: bool | None) -> bool:  # noqa: FBT001  the shape of a Sampler
        return trace_id & _LOW_BITS < bound

    def by_parent(trace_id: int, parent: bool | None) -> bool:  # noqa: FBT001
        return by_id(trace_id, None) if parent is None else parent

    return by_parent if name.startswith(_PARENT_BASED) else by_id
