"""How connections are encrypted, on a PostgreSQL with TLS and on one without."""

from collections.abc import Iterator
from urllib.parse import urlsplit

import certifi
import pytest
from psqlpy.exceptions import Error as DriverError

from orders.config import Database
from orders.store.connector import Connector
from orders.store.driver_errors import explain
from orders.store.migrate import migrate
from tests.helpers.environment import database
from tests.helpers.postgres import Databases, reachable_folder
from tests.helpers.postgres_tls import TlsPostgres

ENCRYPTED = "SELECT ssl FROM pg_stat_ssl WHERE pid = pg_backend_pid() AND $1::int = 1"
NO_ENTRY = "no pg_hba.conf entry"
UNKNOWN_ISSUER = "unable to get local issuer certificate"


@pytest.fixture(scope="module")
def server() -> Iterator[TlsPostgres]:
    """Run a PostgreSQL with TLS."""
    with reachable_folder() as folder:
        server = TlsPostgres(folder)
        server.start()
        yield server
        server.stop("immediate")


async def encrypted(target: Database) -> bool:
    """Connect, and return whether the server says that the connection is encrypted."""
    session = await Connector(target, statement_timeout=1).connect()
    try:
        [(answer,)] = await session.fetch(ENCRYPTED, [1])
        return bool(answer)
    finally:
        session.close()


def at(server: TlsPostgres, parameters: str, user: str = "postgres") -> Database:
    """Return the database of the server, with more parameters of a connection string."""
    given = parameters.format(ca=server.ca, other=server.other_ca, none=server.ca.parent / "none")
    return database(
        DATABASE_URL=f"user={user} password=s3cret dbname=postgres port={server.port}"
        f" host=localhost hostaddr=127.0.0.1 {given}"
    )


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("", True),
        ("sslmode=disable", False),
        ("sslmode=allow", False),
        ("sslmode=prefer", True),
        ("sslmode=require", True),
        ("sslmode=require sslrootcert={ca}", True),
        ("sslmode=verify-ca sslrootcert={ca}", True),
        ("sslmode=verify-full sslrootcert={ca}", True),
        ("sslmode=prefer sslrootcert={ca}", True),
        ("sslmode=require options='-c application_name=x'", True),
    ],
)
async def test_a_mode_encrypts_as_it_does_in_libpq(
    server: TlsPostgres, parameters: str, *, expected: bool
) -> None:
    """To prefer encrypts where the server can, whether or not there is a root certificate."""
    assert expected is await encrypted(at(server, parameters))


@pytest.mark.parametrize(
    ("parameters", "expected"),
    [
        ("sslmode=prefer sslrootcert={other}", UNKNOWN_ISSUER),
        ("sslmode=require sslrootcert={other}", UNKNOWN_ISSUER),
        ("sslmode=verify-ca sslrootcert={other}", UNKNOWN_ISSUER),
        ("sslmode=verify-full sslrootcert={ca} host=127.0.0.1", "IP address mismatch"),
        ("sslmode=verify-full sslrootcert={ca} host=db.example", "hostname mismatch"),
        ("sslmode=verify-full sslrootcert={none}", "none, r)"),
        ("sslmode=require channel_binding=require", "server did not use channel binding"),
    ],
)
async def test_what_was_asked_for_is_not_done_without(
    server: TlsPostgres, parameters: str, expected: str
) -> None:
    """An authority, a name or a channel binding that is wrong fails, and the error says it."""
    with pytest.raises(DriverError) as refused:
        await encrypted(at(server, parameters))

    assert expected in explain(refused.value)


@pytest.mark.parametrize(
    ("user", "parameters", "expected"),
    [
        ("only_tls", "sslmode=allow", True),
        ("only_tls", "", True),
        ("only_plain", "", False),
        ("only_plain", "sslmode=allow", False),
    ],
)
async def test_the_servers_access_rules_decide(
    server: TlsPostgres, user: str, parameters: str, *, expected: bool
) -> None:
    """Where pg_hba.conf refuses one kind of connection, the other is tried."""
    assert expected is await encrypted(at(server, parameters, user))


@pytest.mark.parametrize(("user", "mode"), [("only_tls", "disable"), ("only_plain", "require")])
async def test_nothing_else_is_tried_than_was_asked_for(
    server: TlsPostgres, user: str, mode: str
) -> None:
    """`disable` and `require` are one attempt."""
    with pytest.raises(DriverError, match=NO_ENTRY):
        await encrypted(at(server, f"sslmode={mode}", user))


@pytest.mark.parametrize("mode", ["prefer", "require"])
async def test_channel_binding_is_of_scram_over_tls(server: TlsPostgres, mode: str) -> None:
    """Required, no attempt is made without TLS."""
    parameters = f"sslmode={mode} channel_binding=require"

    assert await encrypted(at(server, parameters, "scram"))


async def test_channel_binding_needs_tls(server: TlsPostgres) -> None:
    """Without TLS there is nothing to bind to."""
    with pytest.raises(DriverError, match="server did not use channel binding"):
        await encrypted(at(server, "sslmode=disable channel_binding=require", "scram"))


async def test_a_wrong_password_is_told(server: TlsPostgres) -> None:
    """It is not hidden by another attempt that cannot succeed either."""
    for mode in ("allow", "prefer", "require"):
        with pytest.raises(DriverError, match="password authentication failed"):
            await encrypted(at(server, f"sslmode={mode} password=wrong", "scram"))


async def test_the_bundle_of_the_system_verifies_in_full(
    server: TlsPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`sslrootcert=system` is the file of SSL_CERT_FILE, and checks the name."""
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ca))

    right, wrong = (
        at(server, f"sslrootcert=system host={h}") for h in ("localhost", "db.example")
    )

    assert await encrypted(right)
    with pytest.raises(DriverError, match="hostname mismatch"):
        await encrypted(wrong)


async def test_nobody_is_trusted_beside_the_root_certificate(
    server: TlsPostgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The driver would trust SSL_CERT_FILE, which the images set, as well."""
    monkeypatch.setenv("SSL_CERT_FILE", str(server.ca))

    with pytest.raises(DriverError, match=UNKNOWN_ISSUER):
        await encrypted(at(server, "sslmode=require sslrootcert={other}"))


@pytest.mark.parametrize("mode", ["allow", "prefer"])
async def test_migrations_are_encrypted_alike(server: TlsPostgres, mode: str) -> None:
    """`orders migrate` makes the same attempts."""
    await migrate(at(server, f"sslmode={mode}", "only_tls"))


@pytest.mark.parametrize("down", ["127.0.0.1:1,{up}", "{up},127.0.0.1:1", "{up},%2Fnowhere:1"])
async def test_each_host_has_its_own_attempts(postgres: Databases, down: str) -> None:
    """A host that is down, or a socket, changes nothing for one without TLS."""
    url = urlsplit(postgres.url("postgres"))
    hosts = f"{url.username}@{down.format(up=url.netloc.rpartition('@')[2])}"

    assert not await encrypted(database(DATABASE_URL=f"postgresql://{hosts}{url.path}"))


async def test_hosts_may_be_in_random_order(postgres: Databases) -> None:
    """`load_balance_hosts=random` finds the one that is up as well."""
    url = f"{postgres.url('postgres')}?load_balance_hosts=random".replace("@", "@127.0.0.1:1,")

    assert not await encrypted(database(DATABASE_URL=url))


async def test_a_server_without_tls(postgres: Databases) -> None:
    """To prefer connects to it, in the clear; and no error of its own is hidden."""
    url = postgres.url("postgres")

    for mode in ("allow", "prefer", f"prefer&sslrootcert={certifi.where()}"):
        assert not await encrypted(database(DATABASE_URL=f"{url}?sslmode={mode}"))
        with pytest.raises(DriverError, match='database "nothing" does not exist'):
            await encrypted(database(DATABASE_URL=f"{postgres.url('nothing')}?sslmode={mode}"))
