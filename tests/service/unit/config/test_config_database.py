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
from tests.helpers.environment import PASSWORD, database, error, in_force, text
from tests.helpers.postgres import Databases

NO_TLS = "server does not support TLS"
URL_ALLOWED = (
    "postgresql://user:password@host:port/name, several hosts separated by commas, or psql's "
    "host=... dbname=..."
)


def test_a_host_in_the_url_stands_alone() -> None:
    """No other host, address or port is read, not even a bad one."""
    others = {"DB_HOST": "other", "PGHOSTADDR": "bad", "DB_PORT": "tcp://10.0.0.1:5432"}
    config = Config.from_env({"DATABASE_URL": "postgresql://host/orders"} | others)

    assert Database(("host",), (5432,), "postgres", None, "orders") == config.database
    assert ("host", "DATABASE_URL") == in_force(config)["DB_HOST"]
    assert ("5432", "default") == in_force(config)["DB_PORT"]


def test_what_the_url_leaves_out_is_read_from_other_names(tmp_path: Path) -> None:
    """As psql does: above all the password and the root certificate."""
    ca = str(tmp_path / "ca.crt")
    found = database(
        DATABASE_URL="postgresql://me@host/orders?sslmode=require",
        DB_SSL_ROOT_CERT=ca,
        PGSSLMODE="disable",
        PGUSER="other",
        PGPASSWORD="x",
    )

    assert Database(("host",), (5432,), "me", "x", "orders", "require", ca) == found


def test_a_url_without_a_host_takes_the_one_of_other_names() -> None:
    """Without any it is localhost, as a service has no socket of its own."""
    url = "postgresql://me@/orders"

    assert ("db:6432/orders", "localhost:5432/orders") == (
        database(DATABASE_URL=url, DB_HOST="db", DB_PORT="6432").where,
        database(DATABASE_URL=url).where,
    )


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


def test_several_hosts_have_ports_of_their_own_or_share_one() -> None:
    """A port that is left out is 5432."""
    shared = database(DB_HOST="a, b", DB_PORT="6432")
    own = database(DATABASE_URL="postgres://a:1,[::1]:2,c/orders")

    assert (("a", "b"), (6432, 6432)) == (shared.hosts, shared.ports)
    assert (("a", "[::1]", "c"), (1, 2, 5432)) == (own.hosts, own.ports)


def test_a_server_has_to_take_writes_unless_told() -> None:
    """One host alone too; `primary` is libpq's word for nearly the same."""
    url = "postgresql://a/b?target_session_attrs="

    assert "read-write" == database(DB_HOST="a").target_session_attrs
    assert "any" == database(DATABASE_URL=f"{url}any").target_session_attrs
    assert "read-write" == database(DATABASE_URL=f"{url}primary").target_session_attrs
    assert error(DATABASE_URL=f"{url}standby").endswith("a standby cannot take orders")


def test_an_address_is_connected_to_under_the_name_of_its_host() -> None:
    """Each host has its own, some may have none; an address alone is a host."""
    both = database(DB_HOST="a,b", DB_HOSTADDR="10.0.0.1,")
    alone = database(DATABASE_URL="postgresql://?hostaddr=10.0.0.1&dbname=orders")

    assert (("a", 5432, "10.0.0.1"), ("b", 5432, None)) == both.endpoints
    assert (("10.0.0.1",), ("10.0.0.1",)) == (alone.hosts, alone.addresses)


def test_the_dsn_of_one_host() -> None:
    """It has the address that was looked up, and options after those that were configured."""
    found = database(DB_HOST="a,b", DB_USER="me", DB_NAME="n", DB_OPTIONS="-c x.y=1+1")

    assert found.dsn_of("b", 5432, "10.0.0.2", options="-c orders.direct=1") == (
        "postgresql://me@b:5432/n?hostaddr=10.0.0.2"
        "&options=-c%20x.y%3D1%2B1%20-c%20orders.direct%3D1&target_session_attrs=read-write"
    )


def test_what_follows_an_application_name_fits() -> None:
    """PostgreSQL cuts names at 63 bytes and replaces what is not ASCII."""
    found = database(DB_HOST="a", PGAPPNAME="ü" + "x" * 60)

    assert "?" + "x" * 39 == found.application_name


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
            {"DATABASE_URL": "postgresql://a/b?sslcert=c.pem"},
            f"DATABASE_URL is a secret; allowed: {URL_ALLOWED}; it has sslcert: the driver cannot",
        ),
        (
            {"DATABASE_URL": "postgresql://a/b?sslmode=verify-ca"},
            "DATABASE_URL is a secret; allowed: its sslmode as disable, ",
        ),
        (
            {"DATABASE_URL": "postgresql://a/b?sslmode=require&sslrootcert=system"},
            "DATABASE_URL is a secret; allowed: its sslmode as disable, ",
        ),
        (
            {"DATABASE_URL": "postgresql://a/b?sslmode=verify-full", "DB_PORT": "bad"},
            "DATABASE_URL is a secret; allowed: its sslmode as disable, ",
        ),
        ({"DB_HOST": "a", "DB_HOSTADDR": "1.2.3.4,::1"}, "DB_HOSTADDR is '1.2.3.4,::1'; allowed"),
        ({"DB_HOST": "a", "DB_HOSTADDR": "db"}, "DB_HOSTADDR is 'db'; allowed: an IP address for"),
        (
            {"DB_HOST": "a", "PGSSLCERT": "c.pem"},
            "PGSSLCERT is 'c.pem'; allowed: to leave it out; the driver cannot show a client",
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
        ("?target_session_attrs=read-only", "the database is not read-only"),
    ],
)
async def test_the_driver_keeps_what_was_asked(
    postgres: Databases, parameters: str, expected: str
) -> None:
    """No TLS is refused by every mode that asks for it, and a primary by `read-only`."""
    url = postgres.url("postgres").partition("?")[0] + parameters.format(ca=certifi.where())

    assert expected == await complaint(database(DATABASE_URL=url))


@pytest.fixture(scope="module")
def socket_url() -> Iterator[str]:
    """Run PostgreSQL on a socket; the URL of a database there."""
    # Not in pytest's folder: that may be closed to the user whom PostgreSQL runs as.
    with tempfile.TemporaryDirectory(prefix="orders-tests-") as folder:
        server = EmbeddedPostgres(Path(folder), settings={"fsync": "off"})
        server.start()
        yield server.url("postgres")
        server.stop("immediate")


@pytest.mark.parametrize("mode", ["prefer", "require", "verify-full&sslrootcert={ca}"])
async def test_a_socket_folder_is_a_host(socket_url: str, mode: str) -> None:
    """A host that begins with a slash is the folder of a Unix socket, which never has TLS."""
    found = database(DATABASE_URL=f"{socket_url}?sslmode={mode.format(ca=certifi.where())}")

    assert found.hosts[0].startswith("/")
    assert "" == await complaint(found)
