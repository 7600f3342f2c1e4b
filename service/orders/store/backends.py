"""The server's own processes behind this service's connections: what they do, and their end.

The driver can neither cancel a statement nor close a connection, so a backend is asked about and
ended over another connection, the probe, by its `application_name`. It is never cancelled: a
cancel while it waits for a synchronous standby would be acknowledged as a success.
"""

import asyncio
import contextlib
from typing import TYPE_CHECKING, Final, NamedTuple

from orders.batch import ConnectionLost
from orders.store.session import Row, StatementRefused

if TYPE_CHECKING:
    from orders.store.connections import HeldConnection

_ACTIVITY: Final = """
SELECT state, wait_event_type, wait_event FROM pg_stat_activity WHERE application_name = $1::text
"""
# What is ended shows until it is gone, so it is ended again until it does not.
_END: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1::text
"""
_END_OTHERS: Final = """
SELECT pg_terminate_backend(pid) FROM pg_stat_activity
WHERE starts_with(application_name, $1::text) AND application_name <> $2::text
"""
_FIRST_PAUSE: Final = 0.01
_LONGEST_PAUSE: Final = 1.0


class Activity(NamedTuple):
    """What a backend does, in PostgreSQL's words; all None when it is gone."""

    state: str | None
    wait_type: str | None
    wait: str | None

    @property
    def at_work(self) -> bool:
        """Whether it works, or waits for a lock or a standby; not for more of a message."""
        return self.state == "active" and self.wait_type != "Client"


class Backends:
    """Asks the server about this process' other connections."""

    def __init__(self, timeout: float) -> None:
        """Keep the seconds after which a question is given up."""
        self.timeout = timeout
        self._probe: HeldConnection | None = None

    def ask_over(self, probe: "HeldConnection") -> None:
        """Ask over this connection from now on; without one nobody answers."""
        self._probe = probe

    async def activity(self, name: str) -> Activity | None:
        """Return what the backend with this `application_name` does; None without an answer."""
        try:
            rows = await self.ask(_ACTIVITY, [name])
        except StatementRefused:
            return None
        if rows is None:
            return None
        found = [Activity(*row) for row in rows]
        return next((one for one in found if one.at_work), Activity(None, None, None))

    async def end(self, name: str) -> None:
        """End the backend with this `application_name`; return when the server has it no more."""
        await self._end(_END, name)

    async def end_others(self) -> None:
        """End every backend of this process but the probe's, those of connects given up too."""
        if self._probe is not None and (name := self._probe.name):
            await self._end(_END_OTHERS, name.rstrip("0123456789"), name)

    async def ask(self, sql: str, parameters: list[str]) -> list[Row] | None:
        """Run a statement on the probe; return None when nobody answers.

        Raises:
            StatementRefused: the server does not know what PostgreSQL does.

        """
        if self._probe is None:
            return None
        try:
            async with self._probe.within(self.timeout):
                return await self._probe.fetch(sql, list(parameters))
        except ConnectionLost:
            return None

    async def refusal(self, sql: str) -> str | None:
        """Run a statement that the server refuses; return its message, None without an answer."""
        try:
            await self.ask(sql, [])
        except StatementRefused as refused:
            return str(refused)
        return None

    async def _end(self, sql: str, *parameters: str) -> None:
        pause = _FIRST_PAUSE
        with contextlib.suppress(StatementRefused):  # nobody can end it from here
            while await self.ask(sql, list(parameters)) != []:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
