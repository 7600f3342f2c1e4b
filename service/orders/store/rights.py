"""Asks the server whether a database, and the role that runs migrations, are fit for them."""

from typing import TYPE_CHECKING, Final, NamedTuple

from orders.store.migrations import MigrationError

if TYPE_CHECKING:
    from psqlpy import Connection

_ASK: Final = """
SELECT current_database()::text, current_user::text, current_setting('server_encoding'),
    current_setting('search_path'), current_schema()::text,
    coalesce(has_schema_privilege(current_schema(), 'CREATE'), false),
    coalesce(has_table_privilege(to_regclass('orders_migrations'), 'SELECT'), true)
"""
_ENCODING: Final = "UTF8"


class Rights(NamedTuple):
    """What a database is, and what the role may do there.

    Tables are made in `schema`, the first existing schema of the role's `search_path`.
    """

    database: str
    role: str
    encoding: str
    search_path: str
    schema: str | None
    may_create: bool
    may_read: bool

    @classmethod
    async def of(cls, connection: "Connection") -> "Rights":
        """Ask the server."""
        [row] = (await connection.fetch(_ASK, prepared=False)).result(as_tuple=True)
        return cls(*row)

    def check_read(self) -> None:
        """Raise MigrationError if the role may not read the table of applied migrations."""
        if not self.may_read:
            raise MigrationError(
                f"the role {self.role} may not read orders_migrations:"
                f" GRANT SELECT ON orders_migrations TO {self.role}"
            )

    def check_create(self) -> None:
        """Raise MigrationError if no table can be made, or a table could not hold every text."""
        if self.encoding != _ENCODING:
            raise MigrationError(
                f"the database {self.database} has the encoding {self.encoding}, which cannot hold"
                f" every text: CREATE DATABASE ... ENCODING '{_ENCODING}'"
                " TEMPLATE template0"
            )
        if self.schema is None or self.schema.startswith("pg_"):
            raise MigrationError(
                f"the search_path of the role {self.role} ({self.search_path}) has no schema for"
                " tables: CREATE SCHEMA, or ALTER ROLE ... SET search_path"
            )
        if not self.may_create:
            raise MigrationError(
                f"the role {self.role} may not create tables in the schema {self.schema}:"
                f" GRANT CREATE ON SCHEMA {self.schema} TO {self.role}"
            )
