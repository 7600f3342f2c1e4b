"""What the log says of the database: each message on one line, and each outage once."""

import logging
from typing import Final

_DRIVER: Final = ("Error occurred while creating a new object: ", "db error: ")
_DETAIL: Final = "\nDETAIL: "

log = logging.getLogger("orders.store")


def explain(error: BaseException, *, detail: bool = True) -> str:
    """Return the server's message, or the driver's, on one line and without its prefixes.

    Args:
        error: what was raised.
        detail: False leaves out the server's DETAIL, which may contain the row that was sent.

    """
    text = str(error) or type(error).__name__
    if not detail:
        text = text.split(_DETAIL, 1)[0]
    for prefix in _DRIVER:
        text = text.split(prefix, 1)[-1]
    lines = text.removeprefix("ERROR: ").splitlines()
    return "; ".join(stripped for line in lines if (stripped := line.strip()))


class Outage:
    """Logs once, for all connections to a database, why they fail and when they are back."""

    def __init__(self, where: str) -> None:
        self._where = where
        self._away: set[object] = set()
        self._told: set[str] = set()

    def failed(self, connection: object, why: str) -> None:
        """Note a connection that cannot be made; each reason is logged once per outage."""
        self._away.add(connection)
        if why not in self._told:
            self._told.add(why)
            log.warning("cannot connect to %s: %s", self._where, why)

    def connected(self, connection: object) -> None:
        """Note a connection that is up; the outage ends with the last of those that failed."""
        if connection in self._away:
            self._away.remove(connection)
            if not self._away:
                self._told.clear()
                log.info("connected to %s", self._where)
