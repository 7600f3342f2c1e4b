"""What the environment may say, and what is said of what it may not."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders_common.settings import ConfigError
from orders_common.tracing import TracingConfig
from orders_operator.settings import Settings


def error(**environ: str) -> str:
    """Return the message that an environment is refused with."""
    with pytest.raises(ConfigError) as caught:
        Settings.from_env(environ)
    return str(caught.value)


def test_nothing_set_is_the_defaults() -> None:
    """Without any variable the whole cluster is watched, and there is no tracing."""
    settings = Settings.from_env({})

    assert () == settings.namespaces
    assert "orders-operator" == settings.lease_name
    assert (2121, 300.0, "INFO") == (
        settings.metrics_port,
        settings.resync_interval,
        settings.log_level,
    )
    assert "none" == settings.tracing.exporter
    assert settings.pod_name


def test_everything_set() -> None:
    """Each variable is read."""
    settings = Settings.from_env(
        {
            "WATCH_NAMESPACES": "shop, bar,shop,",
            "POD_NAMESPACE": "orders-system",
            "POD_NAME": "operator-0",
            "LEASE_NAME": "another",
            "METRICS_PORT": "9090",
            "RESYNC_INTERVAL": "2m",
            "LOG_LEVEL": "warn",
            "OTEL_EXPORTER_OTLP_ENDPOINT": "http://collector:4318/",
            "OTEL_TRACES_SAMPLER_ARG": "0.5",
            "OTEL_EXPORTER_OTLP_HEADERS": "authorization=secret",
        }
    )

    assert (
        Settings(
            namespaces=("shop", "bar"),
            pod_namespace="orders-system",
            pod_name="operator-0",
            lease_name="another",
            metrics_port=9090,
            resync_interval=120.0,
            log_level="WARNING",
            tracing=TracingConfig(
                exporter="otlp",
                endpoint="http://collector:4318/v1/traces",
                headers="authorization=secret",
                sampler="parentbased_traceidratio",
                ratio=0.5,
                service_name="orders-operator",
            ),
        )
        == settings
    )
    assert "secret" not in repr(settings)


def test_an_empty_variable_counts_as_not_set() -> None:
    """Kubernetes leaves variables empty; they are the defaults."""
    names = ("WATCH_NAMESPACES", "METRICS_PORT", "RESYNC_INTERVAL", "LOG_LEVEL", "LEASE_NAME")
    empty = Settings.from_env(dict.fromkeys(names, "") | {"POD_NAME": "p"})

    assert Settings.from_env({"POD_NAME": "p"}) == empty


@pytest.mark.parametrize(
    ("name", "value", "allowed"),
    [
        ("WATCH_NAMESPACES", "a,B", "names of namespaces, separated by commas"),
        ("POD_NAMESPACE", "a/b", "a namespace's name"),
        ("LEASE_NAME", "-a", "a Lease's name"),
        ("METRICS_PORT", "0", "a port, 1 to 65535"),
        ("METRICS_PORT", "port", "a port, 1 to 65535"),
        ("RESYNC_INTERVAL", "500ms", "a duration, 1s to 24h, as 30s or 5m"),
        ("RESYNC_INTERVAL", "25h", "a duration, 1s to 24h, as 30s or 5m"),
        ("RESYNC_INTERVAL", "-5m", "a duration, 1s to 24h, as 30s or 5m"),
        ("RESYNC_INTERVAL", "nan", "a duration, 1s to 24h, as 30s or 5m"),
        ("RESYNC_INTERVAL", "inf", "a duration, 1s to 24h, as 30s or 5m"),
        ("LOG_LEVEL", "LOUD", "DEBUG, INFO, WARN, WARNING, ERROR, FATAL"),
        ("OTEL_TRACES_EXPORTER", "file", "otlp, zipkin, console, none"),
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "collector:4318", "an http or https URL"),
        (
            "OTEL_EXPORTER_OTLP_PROTOCOL",
            "http/json",
            "http/protobuf; or grpc, which needs orders-operator[grpc] to be installed",
        ),
        ("OTEL_TRACES_SAMPLER_ARG", "2", "0 to 1"),
        ("OTEL_TRACES_SAMPLER_ARG", "nan", "0 to 1"),
        ("OTEL_BSP_SCHEDULE_DELAY", "-1", "1 to 3600000"),
        ("OTEL_BSP_MAX_QUEUE_SIZE", "0", "1 to 1000000"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "2049", "1 to OTEL_BSP_MAX_QUEUE_SIZE"),
        ("OTEL_SERVICE_NAME", "a\nb", "text without control characters"),
        ("TRACER_URL", "collector", "an http or https URL"),
        ("TRACER_URL", "http://:4318", "an http or https URL"),
        ("TRACER_URL", "http://collector:port", "an http or https URL"),
        ("TRACER_URL", "http://[collector/", "an http or https URL"),
    ],
)
def test_a_bad_value_is_one_line(name: str, value: str, allowed: str) -> None:
    """The message names the variable, what it was, and what is allowed."""
    assert f"{name} is {value!r}; allowed: {allowed}" == error(**{name: value})


def test_a_bad_secret_is_not_repeated(tmp_path: Path) -> None:
    """Headers hold credentials, and a message is logged."""
    file = tmp_path / "headers"
    file.write_text("hunter2\n")
    allowed = "name=value,name=value"

    assert (
        f"OTEL_EXPORTER_OTLP_HEADERS is a secret; allowed: {allowed}",
        f"OTEL_EXPORTER_OTLP_HEADERS is a secret; allowed: {allowed}",
    ) == (
        error(OTEL_EXPORTER_OTLP_HEADERS="hunter2"),
        error(OTEL_EXPORTER_OTLP_HEADERS_FILE=str(file)),
    )


def test_headers_come_from_a_file(tmp_path: Path) -> None:
    """Credentials of the collector are mounted, not set."""
    file = tmp_path / "headers"
    file.write_text("authorization=x\n")

    settings = Settings.from_env({"OTEL_EXPORTER_OTLP_HEADERS_FILE": str(file)})

    assert "authorization=x" == settings.tracing.headers
    assert "OTEL_EXPORTER_OTLP_HEADERS_FILE" in error(
        OTEL_EXPORTER_OTLP_HEADERS_FILE=str(tmp_path / "none")
    )


@given(
    st.sampled_from(["METRICS_PORT", "RESYNC_INTERVAL", "LOG_LEVEL", "WATCH_NAMESPACES"]),
    st.text(st.characters(exclude_characters="\0"), max_size=300),
)
def test_any_text_is_taken_or_refused_in_one_short_line(name: str, value: str) -> None:
    """No value ends in anything but settings or one line."""
    message = ""
    try:
        Settings.from_env({name: value})
    except ConfigError as refused:
        message = str(refused)

    assert len(message.splitlines()) <= 1
    assert len(message) < 1000
