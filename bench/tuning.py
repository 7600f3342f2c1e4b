"""Chooses the Go peers' pgx pool size and garbage collector settings, by trials before the run.

Bare Fiber creates and reads at 64 connections with each combination. All Go peers then run with
the fastest one, or with the usual settings if none is faster by more than noise.
"""

import statistics
from collections.abc import Iterable
from typing import Final

from msgspec import structs

from bench.results import Load
from bench.servers import BY_NAME, FIBER, POOL, Server

MARGIN: Final = 1.03
"""How much faster than the usual settings others have to be to be chosen."""

_COLLECTOR: Final = {"GOGC": "400", "GOMEMLIMIT": "256MiB"}
VARIANTS: Final[dict[str, dict[str, str]]] = {
    f"pool of {POOL}": {"POOL_SIZE": str(POOL)},
    "pool of 4": {"POOL_SIZE": "4"},
    "pool of 8": {"POOL_SIZE": "8"},
    "pool of 32": {"POOL_SIZE": "32"},
    "pool of 64": {"POOL_SIZE": "64"},
    f"pool of {POOL}, GOGC=400, GOMEMLIMIT=256MiB": {"POOL_SIZE": str(POOL), **_COLLECTOR},
}
"""Environments, the usual one first: Go's collector has GOGC=100 and no limit unless told."""
USUAL: Final = next(iter(VARIANTS))


def trials() -> list[Server]:
    """Return bare Fiber under the name of each variant."""
    fiber = BY_NAME[FIBER]
    return [
        structs.replace(fiber, name=name, title=name, environment=environment)
        for name, environment in VARIANTS.items()
    ]


def fastest(loads: Iterable[Load]) -> str:
    """Return the variant with the highest geometric mean of its loads, or the usual one."""
    speeds: dict[str, list[float]] = {}
    for load in loads:
        speeds.setdefault(load.server, []).append(0.0 if load.void else load.per_second)
    means = {name: statistics.geometric_mean(each) for name, each in speeds.items() if all(each)}
    best = max(means, key=lambda name: means[name], default=USUAL)
    return best if means.get(best, 0.0) > MARGIN * means.get(USUAL, 0.0) else USUAL


def tune(server: Server, variant: str) -> Server:
    """Give a Go peer the variant's environment; return others as they are."""
    if server.kind != "go":
        return server
    return structs.replace(server, environment=VARIANTS[variant])
