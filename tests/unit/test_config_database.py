"""Where the environment says that the database is, and that the driver goes there."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psqlpy.exceptions import Error as DriverError

from orders.config import Config, ConfigError, Database
from orders.embedded import EmbeddedPostgres
from orders.store.connector import Connector
from tests.postgres import Databases
from tests.unit.environment import PASSWORD, database, error, in_force, text

NO_TLS = "server does not support TLS"
URL_ALLOWED = "postgresql://user:password@host:port/name, several hosts separated by commas"


def test_the_url_stands_alone() -> None:
    """With DATABASE_URL no other name of the database is read, not even a bad one."""
    others = {"DB_HOST": "other", "DB_USER": "other", "PGSSLMODE": "bad", "DB_PORT": "bad"}
    config = Config.from_env({"DATABASE_URL": "postgresql://host/orders"} | others)

    assert Database(("host",), (5432,), "postgres", None, "orders") == config.database
    assert ("host", "DATABASE_URL") == in_force(config)["DB_HOST"]
    assert ("postgres", "default") == in_force(config)["DB_USER"]


def test_db_names_come_before_libpq_names() -> None:
    """DB_* is read first, PG* for what it leaves out."""
    found = database(DB_HOST="a", PGHOST="b", PGUSER="me", PGDATABASE="d", PGPASSWORD="x")

    assert Database(("a",), (5432,), "me", "x", "d") == found


def test_libpq_names_are_enough() -> None:
    """PG* alone configure a database, as they do for psql."""
    found = database(PGHOST="h", PGPORT="6432", PGUSER="me", PGSSLMODE="require")

    assert Database(("h",), (6432,), "me", None, "me", ssl_mode="require") == found


def test_without_a_host_there_is_no_database() -> None:
    """A user or a name alone does not say where the database is."""
    config = Config.from_env({"DB_USER": "me", "DB_NAME": "orders", "DB_PASSWORD": "x"})

    assert config.database is None
    with pytest.raises(ConfigError, match=r"^DATABASE_URL is not set: set it, or DB_HOST, or PG"):
        config.needed_database()


def test_several_hosts_mean_the_one_that_writes() -> None:
    """Hosts have ports of their own or share one; the primary is looked for unless told."""
    shared = database(DB_HOST="a, b", DB_PORT="6432")
    own = database(DATABASE_URL="postgres://a:1,[::1]:2,c/orders?target_session_attrs=any")

    assert (("a", "b"), (6432, 6432)) == (shared.hosts, shared.ports)
    assert "read-write" == shared.target_session_attrs
    assert (("a", "[::1]", "c"), (1, 2, 5432)) == (own.hosts, own.ports)
    assert "any" == own.target_session_attrs


@pytest.mark.parametrize(
    ("environ", "message"),
    [
        ({"DB_HOST": "a,b", "DB_PORT": "1,2,3"}, "DB_PORT is '1,2,3'; allowed: a port, or one"),
        ({"DB_HOST": "a,,b"}, "DB_HOST is 'a,,b'; allowed: a host name, an address or the folder"),
        ({"PGHOST": "a", "PGPORT": "70000"}, "PGPORT is '70000'; allowed: a port, or one for"),
        ({"DB_HOST": "a", "DB_SSL_MODE": "on"}, "DB_SSL_MODE is 'on'; allowed: disable, allow, "),
        (
            {"DB_HOST": "a", "PGSSLMODE": "verify-full"},
            "PGSSLMODE is 'verify-full'; allowed: disable, allow, prefer, require, verify-ca, ver",
        ),
        ({"DB_HOST": "a", "PGTARGETSESSIONATTRS": "fast"}, "PGTARGETSESSIONATTRS is 'fast'; allo"),
        (
            {"DATABASE_URL": "postgresql://a:99999/b"},
            "DATABASE_URL is a secret; allowed: its port",
        ),
        (
            {"DATABASE_URL": "postgresql://a/b?x=1"},
            "DATABASE_URL is a secret; allowed: postgresql",
        ),
        (
            {"DATABASE_URL": "postgresql://a/b?options=-c%20search_path%3Dshop"},
            f"DATABASE_URL is a secret; allowed: {URL_ALLOWED}; it has options, which are not",
        ),
        (
            {"DATABASE_URL": "postgresql://a/b?sslmode=verify-ca"},
            "DATABASE_URL is a secret; allowed: its ssl_mode as disable, ",
        ),
    ],
)
def test_a_bad_database_is_named(environ: dict[str, str], message: str) -> None:
    """The variable is the one that was read."""
    assert error(**environ).startswith(message)


@given(
    st.lists(st.sampled_from(["db", "10.0.0.1", "::1", "/run/pg sql"]), min_size=1, max_size=3),
    text.filter(bool),
    st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), min_size=1),
    text.filter(bool),
)
def test_a_database_survives_its_dsn(
    hosts: list[str], user: str, password: str, name: str
) -> None:
    """What parts say comes back from the DSN made of them, whatever characters it has."""
    printable = "".join(c for c in user if c.isprintable()) or "me"
    environ = {
        "DB_HOST": ",".join(hosts),
        "DB_USER": printable,
        "DB_PASSWORD": password,
        "DB_NAME": "".join(c for c in name if c.isprintable()) or "orders",
    }
    made = database(**environ)

    assert password == made.password
    assert made == database(DATABASE_URL=made.dsn)


def test_a_password_must_be_text_for_the_database() -> None:
    """Bytes outside UTF-8 are refused here, not when the first connection is made."""
    expected = "DB_PASSWORD is a secret; allowed: UTF-8 text without NUL"
    assert expected == error(DB_HOST="a", DB_PASSWORD="s3cret\udcff")


async def complaint(target: Database) -> str:
    """Return why the driver does not get a connection; nothing if it does."""
    try:
        session = await Connector(target, statement_timeout=1).connect()
    except DriverError as refused:
        return str(refused).rpartition(": ")[2]
    session.close()
    return ""


@pytest.fixture
def role(postgres: Databases) -> Iterator[str]:
    """Make a role with an awkward name."""
    name = "me@:/%ü"
    postgres.execute(f'CREATE ROLE "{name}" LOGIN')
    yield name
    postgres.execute(f'DROP ROLE "{name}"')


async def test_the_driver_takes_the_dsn(postgres: Databases, role: str) -> None:
    """Names and passwords reach PostgreSQL as they were set, through a host that is down first."""
    given_database = database(DATABASE_URL=postgres.url("postgres"))
    target = database(
        DB_HOST=f"127.0.0.1,{given_database.hosts[0]}",
        DB_PORT=f"1,{given_database.ports[0]}",
        DB_USER=role,
        DB_PASSWORD=PASSWORD,
        DB_NAME="postgres",
    )
    session = await Connector(target, statement_timeout=1).connect()
    try:
        rows = await session.fetch("SELECT current_user::text WHERE $1::int = 1", [1])
        assert [(role,)] == rows
    finally:
        session.close()


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("", ""),
        ("?sslmode=disable", ""),
        ("?sslmode=allow", ""),
        ("?sslmode=prefer", ""),
        ("?sslmode=require", NO_TLS),
        ("?sslmode=verify-ca&sslrootcert={ca}", NO_TLS),
        ("?sslmode=verify-full&sslrootcert={ca}", NO_TLS),
        ("?target_session_attrs=any", ""),
        ("?target_session_attrs=read-write", ""),
        ("?target_session_attrs=read-only", "database is not read only"),
    ],
)
async def test_the_driver_keeps_what_was_asked(
    postgres: Databases, parameters: str, expected: str
) -> None:
    """No TLS is refused by every mode that asks for it, and a primary by `read-only`."""
    url = postgres.url("postgres").partition("?")[0] + parameters.format(ca=certifi.where())

    assert expected == await complaint(database(DATABASE_URL=url))


@pytest.fixture
def socket_url() -> Iterator[str]:
    """Run PostgreSQL on a socket; the URL of a database there."""
    # Not in pytest's folder: that may be closed to the user whom PostgreSQL runs as.
    with tempfile.TemporaryDirectory(prefix="orders-tests-") as folder:
        server = EmbeddedPostgres(Path(folder), settings={"fsync": "off"})
        server.start()
        yield server.url("postgres")
        server.stop("immediate")


async def test_a_socket_folder_is_a_host(socket_url: str) -> None:
    """A host that begins with a slash is the folder of a Unix socket."""
    found = database(DATABASE_URL=socket_url)

    assert found.hosts[0].startswith("/")
    assert "" == await complaint(found)
