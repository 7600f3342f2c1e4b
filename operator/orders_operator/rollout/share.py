"""Calculates how many canary pods make a share of requests. Pure.

All stable pods stay while there is a canary, so a rollback costs no capacity. Behind one Service
each pod gets the same share of connections.
"""

from math import ceil


def canary_pods(stable: int, weight: int, *, exact: bool) -> int:
    """Return how many canary pods a weight takes.

    Args:
        stable: the number of stable pods.
        weight: the share of requests for the canary, in percent.
        exact: whether a Gateway splits the requests; then the pods need only bear their load.

    Returns:
        At least 1 and at most as many as there are stable pods, which makes half of the requests
            without a Gateway; 0 if there are no stable pods.

    """
    if stable == 0:
        return 0
    wanted = ceil(stable * weight / 100) if exact or weight == 100 else _beside(stable, weight)  # noqa: PLR2004
    return max(1, min(wanted, stable))


def share(stable: int, canary: int) -> int:
    """Return the percentage of requests that canary pods get behind one Service."""
    return round(100 * canary / (stable + canary)) if canary else 0


def _beside(stable: int, weight: int) -> int:
    """Return the number of pods whose share of all pods is nearest to the weight."""
    return round(stable * weight / (100 - weight))
