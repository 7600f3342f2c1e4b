"""How many canary pods make a share of requests. Pure.

The stable pods all stay while there is a canary, so going back costs no capacity. Behind one
Service each pod gets the same share of connections.
"""

from math import ceil


def canary_pods(stable: int, weight: int, *, exact: bool) -> int:
    """Return how many canary pods a weight takes.

    Args:
        stable: the stable pods.
        weight: the share of requests that they are to get, in percent.
        exact: whether a Gateway sees to the share; the pods need only bear it then.

    Returns:
        1 at least, and as many as there are stable pods at most: then half of the requests; none
        beside none.

    """
    if stable == 0:
        return 0
    wanted = ceil(stable * weight / 100) if exact or weight == 100 else _beside(stable, weight)  # noqa: PLR2004
    return max(1, min(wanted, stable))


def share(stable: int, canary: int) -> int:
    """Return the percentage of requests that canary pods get behind one Service."""
    return round(100 * canary / (stable + canary)) if canary else 0


def _beside(stable: int, weight: int) -> int:
    """Return the pods of which the share in all of them is nearest to the weight."""
    return round(stable * weight / (100 - weight))
