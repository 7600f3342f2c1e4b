"""What a server has to be, by `target_session_attrs`: one that takes writes, or one that does not.

PostgreSQL makes every transaction of a standby read-only, and those of a server, database or role
with `default_transaction_read_only`, by which people fence a database off.
"""

from typing import TYPE_CHECKING, Final

from psqlpy.exceptions import Error as DriverError

if TYPE_CHECKING:
    from psqlpy import Connection

# Without a parameter and a name it suits every pooler.
_ASK: Final = "SELECT current_setting('transaction_read_only') = 'on', pg_is_in_recovery()"


class WrongServer(DriverError):
    """A server answers that is not what was asked for; says what it is."""


class ServerRole:
    """What a server has to be and to remain."""

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
        """Whether the server still is what it was."""
        return await _ask(connection) == self._found


async def _ask(connection: "Connection") -> tuple[bool, bool]:
    rows = (await connection.fetch(_ASK, prepared=False)).result(as_tuple=True)
    read_only, standby = rows[0]
    return bool(read_only), bool(standby)


def _describe(*, read_only: bool, standby: bool) -> str:
    if standby:
        return "the database is a read-only standby"
    return "the database is read-only" if read_only else "the database is not read-only"
