"""Tracing is set by the same variables for the service and for the operator."""

import pytest

from orders.config import Config
from orders_common.settings import Reader
from orders_common.tracing import TracingConfig, read_tracing
from orders_common.tracing_settings import tracing_settings
from orders_operator.settings import Settings

SETTINGS = tracing_settings("a-package", service_name="shop", recorded="jobs")


def read(**environ: str) -> TracingConfig:
    """Read tracing from an environment."""
    return read_tracing(Reader(environ), SETTINGS)


def test_nothing_set_exports_nothing() -> None:
    """The name is the program's own; what is not set is as OpenTelemetry has it."""
    assert TracingConfig(service_name="shop") == read()


@pytest.mark.parametrize(
    ("name", "exporter", "endpoint"),
    [
        ("OTEL_EXPORTER_OTLP_ENDPOINT", "otlp", "http://collector/v1/traces"),
        ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", "otlp", "http://collector"),
        ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", "zipkin", "http://collector"),
        ("TRACER_URL", "otlp", "http://collector"),
    ],
)
def test_an_endpoint_implies_its_exporter(name: str, exporter: str, endpoint: str) -> None:
    """A path is added to the base alone; the operator and the service agree."""
    environ = {name: "http://collector"}
    service, operator = Config.from_env(environ).tracing, Settings.from_env(environ).tracing

    assert (exporter, endpoint) == (read(**environ).exporter, read(**environ).endpoint)
    assert (exporter, endpoint) == (service.exporter, service.endpoint)
    assert (exporter, endpoint) == (operator.exporter, operator.endpoint)


def test_nothing_else_is_read_where_tracing_is_off() -> None:
    """No other variable has to be right then."""
    assert "none" == read(OTEL_TRACES_EXPORTER="none", TRACER_URL="?").exporter
    assert "none" == read(OTEL_SDK_DISABLED="true", TRACER_RATIO="2").exporter
