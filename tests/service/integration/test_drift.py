"""A table that does not fit the model is told before an order is lost."""

from collections.abc import Callable
from pathlib import Path

import httpx
import psqlpy
import pytest

from orders.store.check.table import columns_after
from orders.store.drift import table_of
from orders.store.migrate import migrate
from orders.store.migrations import read_all
from orders.store.schema import LOOK
from tests.helpers.migration_files import write
from tests.helpers.postgres import Databases
from tests.helpers.server import Server, eventually

Start = Callable[..., Server]

WRITTEN = (
    (
        "CREATE TABLE orders (id uuid, item varchar(20) NOT NULL, a int4 DEFAULT 1, b bigserial,"
        " c float, d timestamptz, e integer[], f int GENERATED ALWAYS AS IDENTITY,"
        " created_at timestamp, PRIMARY KEY (id, d));"
    ),
    (
        "ALTER TABLE orders ADD COLUMN g boolean NOT NULL DEFAULT false, ADD h text;"
        " ALTER TABLE orders DROP COLUMN a; CREATE TABLE others (z text);"
        " ALTER TABLE others ADD COLUMN y text;"
    ),
    (
        "ALTER TABLE orders RENAME COLUMN h TO i; ALTER TABLE orders ALTER i SET NOT NULL,"
        " ALTER i SET DEFAULT '', ALTER g DROP DEFAULT, ALTER item DROP NOT NULL,"
        " ALTER c TYPE numeric; ALTER TABLE orders ADD COLUMN IF NOT EXISTS i bigint;"
    ),
)


async def test_the_migrations_are_read_as_the_server_runs_them(
    database: str, tmp_path: Path
) -> None:
    """Types, NOT NULL and defaults after a row of files are those of the table."""
    write(tmp_path, **{f"_{n:04}_x": sql for n, sql in enumerate(WRITTEN, start=1)})
    await migrate(database, directory=tmp_path)
    connection = await psqlpy.connect(dsn=database)

    rows = (await connection.fetch(LOOK, [1])).result(as_tuple=True)
    connection.close()

    assert table_of(rows) == columns_after(read_all(tmp_path))


@pytest.mark.parametrize(
    ("change", "mended", "told"),
    [
        (
            "DROP COLUMN item",
            "ADD COLUMN item text NOT NULL DEFAULT ''",
            "the field item has no column item; `orders migrate new NAME` adds it",
        ),
        (
            "ALTER quantity TYPE text",
            "ALTER quantity TYPE bigint USING quantity::bigint",
            "the field quantity needs integer, but the column quantity is text",
        ),
        (
            "ALTER quantity DROP NOT NULL",
            "ALTER quantity SET NOT NULL",
            "the field quantity may not be null, but the column quantity may",
        ),
        (
            "ADD COLUMN price integer NOT NULL",
            "ALTER price SET DEFAULT 0",
            "the column price is NOT NULL without a default, and no field of the model fills it",
        ),
    ],
)
async def test_a_table_that_does_not_fit_refuses_readiness(  # noqa: PLR0913  a change and what becomes of it
    postgres: Databases, database_url: str, serve: Start, change: str, mended: str, told: str
) -> None:
    """The line names the field, once in the log, too; when the table fits, the pod is ready."""
    if "quantity TYPE" in change:
        postgres.execute("ALTER TABLE orders DROP CONSTRAINT orders_quantity_check", database_url)
    postgres.execute(f"ALTER TABLE orders {change}", database_url)
    server = serve(DATABASE_URL=database_url, wait_for="/livez")

    async with httpx.AsyncClient(base_url=server.url) as client:

        async def told_of() -> bool:
            return f"[-]schema failed: {told}" in (await client.get("/readyz?verbose")).text

        async def is_ready() -> bool:
            return (await client.get("/readyz")).status_code == 200

        await eventually(told_of)
        assert not await is_ready()
        postgres.execute(f"ALTER TABLE orders {mended}", database_url)
        await eventually(is_ready)

    assert 1 == server.output().count(f"the table orders does not fit the model: {told}")
