"""The server processes behind this service's connections: what they do, and how to end them.

The driver can neither cancel a statement nor close a connection. So another connection, the probe,
asks about a backend and ends it, by its `application_name`. A backend is never cancelled: a cancel
while it waits for a synchronous standby would be acknowledged as a success.

The probe does that as the role that logged in, to which the backends belong. A role may be set to
become another one (`ALTER ROLE ... SET role`), which may neither see what they do nor end them.
"""

import asyncio
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orders.batch import ConnectionLost
from orders.store.session import Row, StatementRefused

if TYPE_CHECKING:
    from orders.store.connections import HeldConnection

# pg_stat_activity, read as the role that logged in, until the end of the statement. The function's
# argument depends on set_config, so the role is set before the function runs.
_BACKENDS: Final = """
FROM (SELECT set_config('role', 'none', true)) AS became (role),
    pg_stat_get_activity(nullif(became.role, 'none')::int) AS backend
"""
_ACTIVITY: Final = f"""
SELECT state, wait_event_type, wait_event {_BACKENDS} WHERE application_name = $1::text
"""
# A backend that was ended shows until it is gone, so it is ended again until it does not. Behind a
# pooler an idle backend keeps the name of its last client, and is about to serve another one.
_END: Final = f"""
SELECT pg_terminate_backend(pid) {_BACKENDS}
WHERE application_name = $1::text AND (state <> 'idle' OR NOT $2::boolean)
"""
_END_OTHERS: Final = f"""
SELECT pg_terminate_backend(pid) {_BACKENDS}
WHERE starts_with(application_name, $1::text) AND pid <> pg_backend_pid()
    AND (state <> 'idle' OR NOT $2::boolean)
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
        """Whether it works, or waits for a lock or a standby, but not for the client.

        Without `track_activities` the state is `disabled`, whatever it does.
        """
        return self.state in {"active", "disabled"} and self.wait_type != "Client"


class Backends:
    """Asks the server about this process's other connections, and ends them."""

    def __init__(self, timeout: float) -> None:
        """`timeout` is the seconds after which a question is given up."""
        self.timeout = timeout
        self._probe: HeldConnection | None = None

    def ask_over(self, probe: "HeldConnection") -> None:
        """Ask over this connection from now on; without one no question is answered."""
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

    async def end(self, name: str, *, shared: bool) -> bool:
        """End the backend with this `application_name`; return once it is gone.

        Args:
            name: what to look for.
            shared: whether a pooler gives the backend to others once it is idle.

        Returns:
            False if the server does not let this role end it.

        """
        return await self._end(_END, name, shared)

    async def end_others(self, process: str, *, shared: bool) -> None:
        """End every backend of a process but the probe's, also those of abandoned connects.

        Args:
            process: what the `application_name` of each begins with.
            shared: as in `end`.

        """
        await self._end(_END_OTHERS, process, shared)

    async def ask(self, sql: str, parameters: list[Any]) -> list[Row] | None:
        """Run a statement on the probe; return None without an answer.

        Raises:
            StatementRefused: the server refused it, perhaps because it is not PostgreSQL itself.

        """
        if self._probe is None:
            return None
        try:
            async with self._probe.within(self.timeout):
                return await self._probe.fetch(sql, parameters)
        except ConnectionLost:
            return None

    async def refusal(self, sql: str) -> str | None:
        """Run a statement that the server refuses; return its message, None without an answer."""
        try:
            await self.ask(sql, [])
        except StatementRefused as refused:
            return str(refused)
        return None

    async def _end(self, sql: str, *parameters: Any) -> bool:
        pause = _FIRST_PAUSE
        try:
            while await self.ask(sql, [*parameters]) != []:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)
        except StatementRefused:
            return False
        return True
