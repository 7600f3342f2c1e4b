"""Whether a server takes writes or not, as `target_session_attrs` asks for.

PostgreSQL makes every transaction read-only on a standby, and wherever a server, database or role
has `default_transaction_read_only`, with which people fence a database off.
"""

from typing import TYPE_CHECKING, Final

from psqlpy.exceptions import Error as DriverError

if TYPE_CHECKING:
    from psqlpy import Connection

# It has no parameter and no name, so it suits every pooler.
_ASK: Final = "SELECT current_setting('transaction_read_only') = 'on', pg_is_in_recovery()"


class WrongServer(DriverError):
    """The server that answers is not what was asked for; the message says what it is."""


class ServerRole:
    """The role that a server has to have, and to keep."""

    def __init__(self, asked: str) -> None:
        """Take `target_session_attrs`."""
        self._asked = asked
        self._found: tuple[bool, bool] | None = None

    async def check(self, connection: "Connection") -> None:
        """Accept a new connection, or raise WrongServer."""
        self._found = read_only, standby = await _ask(connection)
        refused = {
            "read-write": read_only,
            "read-only": not read_only,
        }
        if refused.get(self._asked, False):
            raise WrongServer(_describe(read_only=read_only, standby=standby))

    async def is_kept(self, connection: "Connection") -> bool:
        """Whether the server still has the role that it had at `check`."""
        return await _ask(connection) == self._found


async def _ask(connection: "Connection") -> tuple[bool, bool]:
    rows = (await connection.fetch(_ASK, prepared=False)).result(as_tuple=True)
    read_only, standby = rows[0]
    return bool(read_only), bool(standby)


def _describe(*, read_only: bool, standby: bool) -> str:
    if standby:
        return "the database is a read-only standby"
    return "the database is read-only" if read_only else "the database is not read-only"
