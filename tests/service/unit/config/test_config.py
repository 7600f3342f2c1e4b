"""What the environment may say, and what is said of what it may not."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.config import Config, ConfigError
from orders.config.reference import SETTINGS, as_json, listing, page
from orders.config.settings import TRACING
from tests.helpers.environment import PASSWORD, error, in_force, text
from tests.helpers.paths import ROOT

DOCS = ROOT / "docs"
NAMES = sorted(name for setting in SETTINGS for name in setting.names)
SECRETS = sorted(name for setting in SETTINGS if setting.secret for name in setting.names)


def test_nothing_set_is_the_defaults() -> None:
    """Without any variable there are the documented ports and durations, and no database."""
    config = Config.from_env({})

    assert ("::", 8000, 2121) == (
        config.http_host,
        config.http_port,
        config.metrics_port,
    )
    assert (5.0, 75.0, 5.0, 30.0) == (
        config.request_timeout,
        config.http_keep_alive_timeout,
        config.shutdown_delay,
        config.shutdown_grace_period,
    )
    assert (8192, 256) == (config.queue_limit, config.batch_limit)
    assert config.memory_limit is None
    assert ("INFO", None, "auto") == (config.log_level, config.log_level_file, config.log_format)
    assert ("orders", "none") == (config.tracing.service_name, config.tracing.exporter)
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
        (
            "FAULTS",
            "delay=1s",
            "FAULTS is 'delay=1s'; allowed: what the test module orders_faults",
        ),
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


def test_a_file_must_hold_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """An empty file is a mistake, not an empty password."""
    monkeypatch.chdir(tmp_path)  # of a longer path the middle is left out
    Path("password").write_text("\n", encoding="utf-8")

    expected = "DB_PASSWORD_FILE is 'password'; allowed: a file that is not empty"
    assert expected == error(DB_PASSWORD_FILE="password")


def test_a_file_must_be_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Bytes that are not UTF-8 are refused without being shown."""
    monkeypatch.chdir(tmp_path)
    Path("password").write_bytes(b"s3cret\xff")

    message = error(DB_PASSWORD_FILE="password")
    assert "DB_PASSWORD_FILE is 'password'; allowed: a readable file (not UTF-8 text)" == message


def test_a_secret_is_given_once(tmp_path: Path) -> None:
    """The variable and its file at once leave open which one is meant."""
    expected = "DB_PASSWORD and DB_PASSWORD_FILE are both set: set one of them"
    assert expected == error(DB_PASSWORD="a", DB_PASSWORD_FILE=str(tmp_path))


def test_the_traces_endpoint_of_a_base() -> None:
    """OTEL_EXPORTER_OTLP_ENDPOINT is a base, every other endpoint is whole (OTLP exporter)."""
    base = Config.from_env({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318/"}).tracing
    whole = Config.from_env({"TRACER_URL": "http://c:9411/api/v2/spans"}).tracing

    assert ("otlp", "http://c:4318/v1/traces") == (base.exporter, base.endpoint)
    assert "http://c:9411/api/v2/spans" == whole.endpoint


def test_a_grpc_endpoint_is_taken_as_it_is() -> None:
    """Over gRPC there is no path to add."""
    tracing = Config.from_env(
        {
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4317",
            "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "grpc",
        }
    ).tracing

    assert ("otlp", "grpc", "http://c:4317") == (
        tracing.exporter,
        tracing.protocol,
        tracing.endpoint,
    )


def test_what_does_not_count_is_told() -> None:
    """The listing says of a variable that is set and not read that it is not."""
    found = in_force(
        Config.from_env(
            {
                "OTEL_TRACES_EXPORTER": "zipkin",
                "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "pigeon",
                "OTEL_EXPORTER_OTLP_HEADERS": "a=b",
                "TRACER_URL": "http://c:9411/api/v2/spans",
            }
        )
    )

    assert ("", "not read") == found["OTEL_EXPORTER_OTLP_TRACES_ENDPOINT"]
    assert ("http://c:9411/api/v2/spans", "environment") == found["TRACER_URL"]


def test_a_resources_name_comes_between_those_of_opentelemetry_and_gofr() -> None:
    """OTEL_SERVICE_NAME, then service.name, then APP_NAME; an empty attribute is none."""
    attributes = {"OTEL_RESOURCE_ATTRIBUTES": "service.name=shop"}

    def name(environ: dict[str, str]) -> str:
        return Config.from_env(environ).tracing.service_name

    assert "shop" == name(attributes | {"APP_NAME": "app"})
    assert "own" == name(attributes | {"APP_NAME": "app", "OTEL_SERVICE_NAME": "own"})
    assert "app" == name({"OTEL_RESOURCE_ATTRIBUTES": "service.name=", "APP_NAME": "app"})
    shown = in_force(Config.from_env(attributes | {"APP_NAME": "app"}))
    assert ("shop", "OTEL_RESOURCE_ATTRIBUTES") == shown["OTEL_SERVICE_NAME"]
    assert "APP_NAME" not in shown


@pytest.mark.parametrize(
    "off", [{"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_SDK_DISABLED": "TRUE"}], ids=str
)
@given(st.sampled_from([name for s in TRACING for name in s.names]), text)
def test_what_is_off_takes_any_text(off: dict[str, str], name: str, value: str) -> None:
    """No other variable of tracing can be wrong."""
    environ = {name: value} | off

    assert "none" == Config.from_env(environ).tracing.exporter


def test_gofr_names_work() -> None:
    """TRACE_EXPORTER, TRACER_RATIO and APP_NAME are aliases; OpenTelemetry's come first."""
    environ = {"TRACE_EXPORTER": "zipkin", "TRACER_RATIO": "0.5", "APP_NAME": "shop"}
    gofr = Config.from_env(environ)
    both = Config.from_env(environ | {"OTEL_SERVICE_NAME": "orders-eu"})

    assert ("zipkin", 0.5) == (gofr.tracing.exporter, gofr.tracing.ratio)
    assert "parentbased_traceidratio" == gofr.tracing.sampler
    assert "shop" == gofr.tracing.service_name
    assert "orders-eu" == both.tracing.service_name


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
