"""How long and how hard the tests run: for every change, for publication, and at night."""

import os
from typing import Final, NamedTuple


class Size(NamedTuple):
    """One form of the suite; times in seconds, the rate in requests a second.

    Args:
        name: as `CHAOS` names it.
        rate: of the load.
        requests: how many at least while one of the changes goes on.
        lead: how long the load runs before a disruption, and after it.
        kills: how many pods are killed, one every 10 s.
        away: how long PostgreSQL is.
        api_server_away: how long the API server is.
        operator_away: how long the operator is.
        webhook_away: how long a webhook is.
        overload: how long that is.
        warm_up: how long the load runs before the soak is measured.
        soak: how long that is.

    """

    name: str
    rate: int
    requests: int
    lead: float
    kills: int
    away: float
    api_server_away: float
    operator_away: float
    webhook_away: float
    overload: float
    warm_up: float
    soak: float


_FULL: Final = Size(
    name="full",
    rate=200,
    requests=15_000,
    lead=5,
    kills=6,
    away=60,
    api_server_away=60,
    operator_away=300,
    webhook_away=60,
    overload=60,
    warm_up=120,
    soak=600,
)
SIZES: Final = (
    Size(
        name="short",
        rate=50,
        requests=500,
        lead=2,
        kills=2,
        away=8,
        api_server_away=5,
        operator_away=8,
        webhook_away=15,
        overload=10,
        warm_up=10,
        soak=30,
    ),
    _FULL,
    _FULL._replace(name="nightly", warm_up=600, soak=3600),
)


def asked() -> Size | None:
    """Return the form that `CHAOS` names; None when it names none.

    Raises:
        ValueError: it names another; the message says which there are.

    """
    name = os.environ.get("CHAOS")
    if not name:
        return None
    found = next((size for size in SIZES if size.name == name), None)
    if found is None:
        names = ", ".join(size.name for size in SIZES)
        raise ValueError(f"CHAOS is {name!r}; allowed: {names}")
    return found
