"""What the environment may say, what is said of what it may not, and where the database is."""

import tempfile
from collections.abc import Iterator
from pathlib import Path

import certifi
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psqlpy.exceptions import Error as DriverError

from orders.config import Config, ConfigError, Database
from orders.config.reference import as_json, listing, page
from orders.config.settings import SETTINGS
from orders.embedded import EmbeddedPostgres
from orders.store.connections import HeldConnection
from tests.postgres import Databases

DOCS = Path(__file__).parents[2] / "docs"
NAMES = sorted(name for setting in SETTINGS for name in setting.names)
SECRETS = sorted(name for setting in SETTINGS if setting.secret for name in setting.names)
NO_TLS = "server does not support TLS"
URL_ALLOWED = "postgresql://user:password@host:port/name, several hosts separated by commas"
PASSWORD = "p%/@:?#[ü€ \\'\""

text = st.text(st.characters(exclude_characters="\0"), max_size=60)


def error(**environ: str) -> str:
    """Return the message that an environment is refused with."""
    with pytest.raises(ConfigError) as caught:
        Config.from_env(environ)
    return str(caught.value)


def database(**environ: str) -> Database:
    """Return the database that an environment names."""
    return Config.from_env(environ).needed_database()


def in_force(config: Config) -> dict[str, tuple[str, str]]:
    """Return value and source by name."""
    return {entry.name: (entry.value, entry.source) for entry in config.in_force}


def test_nothing_set_is_the_defaults() -> None:
    """Without any variable there are the documented ports and durations, and no database."""
    config = Config.from_env({})

    assert ("0.0.0.0", 8000, 2121) == (  # noqa: S104  a pod's own
        config.http_host,
        config.http_port,
        config.metrics_port,
    )
    assert (5.0, 5.0, 30.0) == (
        config.request_timeout,
        config.shutdown_delay,
        config.shutdown_grace_period,
    )
    assert (8192, 256) == (config.queue_limit, config.batch_limit)
    assert ("INFO", None, "auto") == (config.log_level, config.log_level_file, config.log_format)
    assert ("orders", "none") == (config.service_name, config.tracing.exporter)
    assert config.database is None


def test_an_empty_variable_is_not_set() -> None:
    """Every variable may be there and empty."""
    assert Config.from_env({}) == Config.from_env(dict.fromkeys(NAMES, ""))


@pytest.mark.parametrize(
    ("value", "seconds"), [("5", 5.0), ("5s", 5.0), ("1.5s", 1.5), ("500ms", 0.5), ("1m", 60.0)]
)
def test_durations_have_units(value: str, seconds: float) -> None:
    """A number alone is seconds."""
    assert seconds == Config.from_env({"REQUEST_TIMEOUT": value}).request_timeout


@pytest.mark.parametrize("value", ["127.0.0.1", "0.0.0.0", "::", "::1", " ::ffff:10.0.0.1 "])  # noqa: S104
def test_a_host_is_an_address(value: str) -> None:
    """Both families of addresses are taken, without brackets."""
    assert value.strip() == Config.from_env({"HTTP_HOST": value}).http_host


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("HTTP_PORT", "http", "HTTP_PORT is 'http'; allowed: a port, 1 to 65535"),
        ("HTTP_PORT", "0", "HTTP_PORT is '0'; allowed: a port, 1 to 65535"),
        ("METRICS_PORT", "8000", "METRICS_PORT is '8000'; allowed: a port other than HTTP_PORT"),
        ("HTTP_PORT", "٣", "HTTP_PORT is '٣'; allowed: a port, 1 to 65535"),
        ("REQUEST_TIMEOUT", "5 min", "REQUEST_TIMEOUT is '5 min'; allowed: a duration"),
        ("REQUEST_TIMEOUT", "0", "REQUEST_TIMEOUT is '0'; allowed: a duration, 10ms to 10m"),
        ("SHUTDOWN_DELAY", "-1", "SHUTDOWN_DELAY is '-1'; allowed: a duration, 0 to 10m"),
        ("BATCH_LIMIT", "0", "BATCH_LIMIT is '0'; allowed: 1 to 10000"),
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL is 'LOUD'; allowed: DEBUG, INFO, NOTICE, WARN,"),
        ("LOG_FORMAT", "xml", "LOG_FORMAT is 'xml'; allowed: auto, json, text"),
        ("HTTP_HOST", "a\nb", r"HTTP_HOST is 'a\nb'; allowed: an IP address, such as 127.0.0.1, "),
        ("HTTP_HOST", "a b", "HTTP_HOST is 'a b'; allowed: an IP address, such as 127.0.0.1, "),
        ("HTTP_HOST", "localhost", "HTTP_HOST is 'localhost'; allowed: an IP address, such as "),
        ("HTTP_HOST", "[::1]", "HTTP_HOST is '[::1]'; allowed: an IP address, such as 127.0.0.1"),
        ("REQUEST_TIMEOUT", "nan", "REQUEST_TIMEOUT is 'nan'; allowed: a duration, 10ms to 10m"),
        ("REQUEST_TIMEOUT", "inf", "REQUEST_TIMEOUT is 'inf'; allowed: a duration, 10ms to 10m"),
        ("TRACER_RATIO", "nan", "TRACER_RATIO is 'nan'; allowed: 0 to 1"),
        ("TRACER_URL", "c:4318", "TRACER_URL is 'c:4318'; allowed: an http or https URL"),
        ("TRACER_URL", "http://:1", "TRACER_URL is 'http://:1'; allowed: an http or https URL"),
        ("TRACER_URL", "http://c:x", "TRACER_URL is 'http://c:x'; allowed: an http or https URL"),
        ("TRACER_URL", "http://[c/", "TRACER_URL is 'http://[c/'; allowed: an http or https URL"),
        (
            "OTEL_BSP_SCHEDULE_DELAY",
            "-1",
            "OTEL_BSP_SCHEDULE_DELAY is '-1'; allowed: 1 to 3600000",
        ),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "OTEL_BSP_MAX_QUEUE_SIZE is '0'; allowed: 1 to 1000000"),
        (
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
            "2049",
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE is '2049'; allowed: 1 to OTEL_BSP_MAX_QUEUE_SIZE",
        ),
        ("TRACER_RATIO", "2", "TRACER_RATIO is '2'; allowed: 0 to 1"),
        ("TRACER_URL", "collector", "TRACER_URL is 'collector'; allowed: an http or https URL"),
        ("LOG_LEVEL", "x" * 99, f"LOG_LEVEL is '{'x' * 80}...'; allowed: DEBUG"),
    ],
)
def test_a_bad_value_is_named(name: str, value: str, message: str) -> None:
    """The line has the variable, what it was and what is allowed."""
    assert error(**{name: value}).startswith(message)


@given(st.sampled_from(NAMES), text)
def test_any_text_is_a_configuration_or_one_line(name: str, value: str) -> None:
    """Whatever a variable holds, it is taken, or refused in one line that names it."""
    try:
        config = Config.from_env({"DB_HOST": "localhost", name: value})
        assert config.database is None or config.database.dsn.isascii()
    except ConfigError as refused:
        message = str(refused)
        assert message.startswith(f"{name} is ")
        assert "; allowed: " in message
        assert message.isprintable()


@given(st.sampled_from(SECRETS), st.text(st.characters(min_codepoint=0x100), min_size=4))
def test_a_refused_secret_is_not_shown(name: str, value: str) -> None:
    """No error has a secret's text."""
    for bad in (value, f"postgresql://me:{value}@/a/b", f"postgresql://me:7/{value}@h/b?{value}"):
        try:
            config = Config.from_env({name: bad, "DB_HOST": "h"})
            shown = repr(config) + listing(config) + as_json(config)
        except ConfigError as refused:
            shown = str(refused)
        assert value not in shown


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://me:7/s3cret@host/orders",
        "postgresql://me:pass?s3cret@host/orders",
        "postgresql://me:pass?s3cret=1&sslmode=s3cret",
        "postgresql://me:s3cret\N{ACCOUNT OF}@host:port/orders",
        "postgresql://me:s3cret[@[host/orders",
        "mysql://me:s3cret@host/orders",
        "me:s3cret@host",
    ],
)
def test_a_bad_url_is_not_shown(url: str) -> None:
    """The password of a URL that cannot be read is kept to ourselves, wherever it stands."""
    message = error(DATABASE_URL=url)

    assert message.startswith("DATABASE_URL is a secret; allowed: ")
    assert "s3cret" not in message


def test_secrets_are_masked_everywhere() -> None:
    """Neither the object nor its listings show a password or a header."""
    config = Config.from_env(
        {
            "DATABASE_URL": "postgresql://me:s3cret@host/orders",
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=s3cret",
            "TRACER_URL": "http://me:s3cret@collector:4318/",
        }
    )
    shown = repr(config.database) + repr(config.tracing.headers is None)
    shown += listing(config) + as_json(config)

    assert "s3cret" not in shown
    assert ("***", "environment") == in_force(config)["DATABASE_URL"]
    assert ("***", "DATABASE_URL") == in_force(config)["DB_PASSWORD"]
    assert ("http://***@collector:4318/", "environment") == in_force(config)["TRACER_URL"]


def test_repr_of_the_configuration_has_no_secret() -> None:
    """A traceback that shows the object shows no password, header or credentials of a URL."""
    config = Config.from_env(
        {
            "DATABASE_URL": "postgresql://me:s3cret@host/orders",
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=s3cret",
            "TRACER_URL": "http://me:s3cret@collector:4318/",
        }
    )

    assert "s3cret" not in repr(config)


def test_a_secret_may_be_a_file(tmp_path: Path) -> None:
    """DB_PASSWORD_FILE is a path; one newline at the end does not count."""
    path = tmp_path / "password"
    path.write_text(f"{PASSWORD} \n", encoding="utf-8")
    config = Config.from_env({"DB_HOST": "db", "DB_PASSWORD_FILE": str(path)})

    assert f"{PASSWORD} " == config.needed_database().password
    assert ("***", f"file {path}") == in_force(config)["DB_PASSWORD"]


@pytest.mark.parametrize("name", SECRETS)
def test_every_secret_may_be_a_file(name: str, tmp_path: Path) -> None:
    """A file that is not there is an error that names the variable with `_FILE`."""
    path = tmp_path / "nothing"

    expected = f"{name}_FILE is '{path}'; allowed: a readable file (No such file or directory)"
    assert expected == error(**{f"{name}_FILE": str(path)})


def test_a_file_must_hold_something(tmp_path: Path) -> None:
    """An empty file is a mistake, not an empty password."""
    path = tmp_path / "password"
    path.write_text("\n", encoding="utf-8")

    expected = f"DB_PASSWORD_FILE is '{path}'; allowed: a file that is not empty"
    assert expected == error(DB_PASSWORD_FILE=str(path))


def test_a_file_must_be_text(tmp_path: Path) -> None:
    """Bytes that are not UTF-8 are refused without being shown."""
    path = tmp_path / "password"
    path.write_bytes(b"s3cret\xff")

    message = error(DB_PASSWORD_FILE=str(path))
    assert f"DB_PASSWORD_FILE is '{path}'; allowed: a readable file (not UTF-8 text)" == message


def test_a_secret_is_given_once(tmp_path: Path) -> None:
    """The variable and its file at once leave open which one is meant."""
    expected = "DB_PASSWORD and DB_PASSWORD_FILE are both set: set one of them"
    assert expected == error(DB_PASSWORD="a", DB_PASSWORD_FILE=str(tmp_path))


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
    connection = HeldConnection(target, statement_timeout=1)
    try:
        await connection._connect_once()
    except DriverError as refused:
        return str(refused).rpartition(": ")[2]
    else:
        return ""
    finally:
        await connection.close()


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
    connection = HeldConnection(target, statement_timeout=1)
    await connection._connect_once()
    try:
        rows = await connection.fetch("SELECT current_user::text WHERE $1::int = 1", [1])
        assert [(role,)] == rows
    finally:
        await connection.close()


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


def test_the_traces_endpoint_of_a_base() -> None:
    """OTEL_EXPORTER_OTLP_ENDPOINT is a base, every other endpoint is whole (OTLP exporter)."""
    base = Config.from_env({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318/"}).tracing
    whole = Config.from_env({"TRACER_URL": "http://c:9411/api/v2/spans"}).tracing

    assert ("otlp", "http://c:4318/v1/traces") == (base.exporter, base.endpoint)
    assert "http://c:9411/api/v2/spans" == whole.endpoint


def test_gofr_names_work() -> None:
    """TRACE_EXPORTER, TRACER_RATIO and APP_NAME are aliases; OpenTelemetry's come first."""
    environ = {"TRACE_EXPORTER": "zipkin", "TRACER_RATIO": "0.5", "APP_NAME": "shop"}
    gofr = Config.from_env(environ)
    both = Config.from_env(environ | {"OTEL_SERVICE_NAME": "orders-eu"})

    assert ("zipkin", 0.5) == (gofr.tracing.exporter, gofr.tracing.ratio)
    assert "parentbased_traceidratio" == gofr.tracing.sampler
    assert "shop" == gofr.service_name
    assert "orders-eu" == both.service_name


def test_a_batch_of_spans_fits_the_queue() -> None:
    """What is left out is OpenTelemetry's default, or less if the queue is shorter."""
    default, short = Config.from_env({}), Config.from_env({"OTEL_BSP_MAX_QUEUE_SIZE": "5"})
    tracing = default.tracing

    assert (5000, 2048, 512) == (
        tracing.schedule_delay,
        tracing.max_queue_size,
        tracing.max_batch_size,
    )
    assert 5 == short.tracing.max_batch_size


def test_tracing_can_be_switched_off() -> None:
    """OTEL_SDK_DISABLED wins over an exporter."""
    environ = {"OTEL_SDK_DISABLED": "true", "OTEL_TRACES_EXPORTER": "otlp"}

    assert "none" == Config.from_env(environ).tracing.exporter


def test_the_configuration_is_frozen() -> None:
    """Nothing changes it after the start."""
    with pytest.raises(AttributeError):
        Config.from_env({}).http_port = 1  # type: ignore[misc]


def test_the_reference_is_up_to_date() -> None:
    """docs/configuration.md is what the declarations say, and names every variable."""
    assert page() == (DOCS / "configuration.md").read_text(encoding="utf-8")
    assert [] == [name for name in NAMES if f"`{name}`" not in page()]
