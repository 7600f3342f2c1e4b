"""What `orders migrate` refuses at once, in one line, because no waiting makes it better."""

import logging
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from orders.config import Config
from orders.store.migrate import main, migrate
from tests.helpers.migration_files import write
from tests.helpers.postgres import Databases

ROLE = "orders_test_migrator"


@pytest.fixture
def role_url(database: str, postgres: Databases) -> Iterator[str]:
    """Make a role without any right; the URL of an empty database for it."""
    postgres.execute(f"CREATE ROLE {ROLE} LOGIN")
    place = urlsplit(database)
    yield place._replace(netloc=f"{ROLE}@{place.hostname}:{place.port}").geturl()
    postgres.execute(f"DROP OWNED BY {ROLE}", database)
    postgres.execute(f"DROP ROLE {ROLE}")


def run(url: str, caplog: pytest.LogCaptureFixture, directory: Path) -> tuple[int, list[str]]:
    """Run the command, which may wait long; return its exit code and what it logged."""
    caplog.set_level(logging.INFO, "orders.migrate")
    config = Config.from_env({"DATABASE_URL": url})
    write(directory, _0001_a="CREATE TABLE a ();")
    return main(config, wait=50, status=False, to=None, directory=directory), caplog.messages


def test_a_database_that_is_not_utf8(
    postgres: Databases, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """It could not hold every order."""
    postgres.execute(
        "CREATE DATABASE orders_test_latin TEMPLATE template0 ENCODING 'LATIN1' LOCALE 'C'"
        " LOCALE_PROVIDER libc"
    )
    try:
        code, told = run(postgres.url("orders_test_latin"), caplog, tmp_path)
    finally:
        postgres.execute("DROP DATABASE orders_test_latin WITH (FORCE)")

    assert 1 == code
    [line] = told
    assert (
        "the database orders_test_latin has the encoding LATIN1, which cannot hold every text:"
        " CREATE DATABASE ... ENCODING 'UTF8' TEMPLATE template0"
    ) == line


def test_a_role_that_may_not_create(
    role_url: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """The line has the command that gives the right."""
    code, told = run(role_url, caplog, tmp_path)

    [line] = told
    assert 1 == code
    assert (
        f"the role {ROLE} may not create tables in the schema public:"
        f" GRANT CREATE ON SCHEMA public TO {ROLE}"
    ) == line


@pytest.mark.parametrize("path", ["nowhere", "pg_temp", "pg_catalog", "''"])
def test_a_path_without_a_schema(
    database: str,
    postgres: Databases,
    caplog: pytest.LogCaptureFixture,
    tmp_path: Path,
    path: str,
) -> None:
    """A search_path has to name a schema that exists, and one that outlives the session."""
    name = urlsplit(database).path.removeprefix("/")
    postgres.execute(f"ALTER DATABASE {name} SET search_path = {path}")
    code, [told] = run(database, caplog, tmp_path)

    assert 1 == code
    assert told.startswith("the search_path of the role postgres (")
    assert told.endswith(
        "has no schema for tables: CREATE SCHEMA, or ALTER ROLE ... SET search_path"
    )


def test_a_role_that_may_not_read_what_was_applied(
    database: str, role_url: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    """A table of another role's is not waited for."""
    config = Config.from_env({"DATABASE_URL": database})
    write(tmp_path, _0001_a="CREATE TABLE a ();")
    assert 0 == main(config, wait=0, status=False, to=None, directory=tmp_path)
    caplog.clear()
    code, told = run(role_url, caplog, tmp_path)

    [line] = told
    assert 1 == code
    assert (
        f"the role {ROLE} may not read orders_migrations:"
        f" GRANT SELECT ON orders_migrations TO {ROLE}"
    ) == line


async def test_nothing_is_refused_where_nothing_is_to_do(
    database: str, role_url: str, postgres: Databases, tmp_path: Path
) -> None:
    """A role that may only read finds that the schema is as it has to be."""
    write(tmp_path, _0001_a="CREATE TABLE a ();")
    await migrate(database, directory=tmp_path)
    postgres.execute(f"GRANT SELECT ON orders_migrations TO {ROLE}", database)

    assert [] == (await migrate(role_url, directory=tmp_path)).applied
