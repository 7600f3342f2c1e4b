"""Which revision runs where: what a rollout decides, and the children are made of."""

from collections.abc import Sequence
from typing import Any

from msgspec import Struct

from orders_operator.resources.revision import Revision

Object = dict[str, Any]


class Placement(Struct, frozen=True):
    """The revision of the stable pods, that of the canary's if there are any, and their share.

    Args:
        stable: what all pods run but the canary's.
        canary: what the canary pods run; None when there are none.
        canary_pods: how many they are.
        weight: the share of requests, in percent, that a Gateway gives to them.
        floor: how many stable pods an autoscaler must leave.
        history: the revisions that are kept with their numbers, these two among them.

    """

    stable: Revision
    canary: Revision | None = None
    canary_pods: int = 0
    weight: int = 0
    floor: int = 0
    history: Sequence[tuple[Revision, int]] = ()
