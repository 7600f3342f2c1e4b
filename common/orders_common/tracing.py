"""Reads the variables of tracing: where spans go, which ones, and how they describe the service.

The exporter decides which of the other variables count. If it is explicitly none, no other
variable of tracing is read, and none has to be right.
"""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, Final

from msgspec import Struct

from orders_common.masking import masked_value
from orders_common.parse import split_pairs
from orders_common.settings import Reader, Setting
from orders_common.tracing_settings import OTLP_BASE, TRACER_URL

_BATCH: Final = 512
_SERVICE_NAME: Final = "service.name"
_OFF: Final = {"exporter": "none", "disabled": True}
_UNREAD: Final = {
    "otlp": ("zipkin_endpoint",),
    "zipkin": ("endpoint", "protocol", "headers"),
    "console": ("endpoint", "zipkin_endpoint", "protocol", "headers"),
    "none": (),
}
"""What does not count, by exporter; for none that nobody asked for, everything is still read."""


class TracingConfig(Struct, frozen=True):
    """Whether spans are exported, which, and where to; an endpoint of None is the exporter's."""

    exporter: str = "none"
    protocol: str = "http/protobuf"
    endpoint: str | None = None
    headers: str | None = None
    sampler: str = "parentbased_always_on"
    ratio: float = 1.0
    service_name: str = ""
    resource_attributes: Mapping[str, str] = MappingProxyType({})
    schedule_delay: int = 5000
    max_queue_size: int = 2048
    max_batch_size: int = _BATCH

    def __repr__(self) -> str:
        """Leave the headers out: they hold credentials, as the endpoint may."""
        shown = masked_value(self.endpoint or "")
        return f"TracingConfig(exporter={self.exporter!r}, endpoint={shown!r})"


def read_tracing(reader: Reader, settings: tuple[Setting, ...]) -> TracingConfig:
    """Read those of the settings of tracing that count.

    Raises:
        ConfigError: a value is not allowed, or does not fit the others.

    """
    by_field = {setting.field: setting for setting in settings}
    return reader.together(lambda _: _read(reader, by_field), settings)


def _read(reader: Reader, settings: Mapping[str, Setting]) -> TracingConfig:
    off = [field for field, value in _OFF.items() if reader.says(settings[field], value)]
    if off:
        found = {
            field: (reader.read if field in off else reader.unread)(setting)
            for field, setting in settings.items()
        }
        return _made(found, "none", reader, settings)
    found = {"exporter": reader.read(settings["exporter"])}
    exporter = found["exporter"] or _implied(reader, settings)
    for field, setting in settings.items():
        if field in _UNREAD[exporter]:
            found[field] = reader.unread(setting)
        elif field != "exporter":
            found[field] = reader.read(setting)
    return _made(found, exporter, reader, settings)


def _implied(reader: Reader, settings: Mapping[str, Setting]) -> str:
    """Return the exporter whose endpoint is set, if none is named."""
    if reader.given(settings["endpoint"]) not in {None, TRACER_URL}:
        return "otlp"
    zipkin = reader.given(settings["zipkin_endpoint"])
    return "none" if zipkin is None else "otlp" if zipkin == TRACER_URL else "zipkin"


def _made(
    found: Mapping[str, Any], exporter: str, reader: Reader, settings: Mapping[str, Setting]
) -> TracingConfig:
    queue = found["max_queue_size"]
    batch = found["max_batch_size"] or min(_BATCH, queue)
    if batch > queue:
        raise ValueError("max_batch_size")
    attributes = split_pairs(found["resource_attributes"])
    return TracingConfig(
        exporter=exporter,
        protocol=found["protocol"],
        endpoint=_endpoint(found, exporter, reader.names),
        headers=found["headers"],
        sampler=found["sampler"]
        or f"parentbased_{'traceidratio' if 'ratio' in reader.names else 'always_on'}",
        ratio=found["ratio"],
        service_name=_service_name(found, attributes, reader, settings),
        resource_attributes=attributes,
        schedule_delay=found["schedule_delay"],
        max_queue_size=queue,
        max_batch_size=batch,
    )


def _endpoint(found: Mapping[str, Any], exporter: str, names: Mapping[str, str]) -> str | None:
    endpoint: str | None = found["zipkin_endpoint" if exporter == "zipkin" else "endpoint"]
    over_http = found["protocol"] != "grpc"
    if endpoint is not None and names.get("endpoint") == OTLP_BASE and over_http:
        return endpoint.rstrip("/") + "/v1/traces"
    return endpoint


def _service_name(
    found: Mapping[str, Any],
    attributes: Mapping[str, str],
    reader: Reader,
    settings: Mapping[str, Setting],
) -> str:
    """Return the name, which an attribute of the resource may give.

    OTEL_SERVICE_NAME comes before the attribute (OpenTelemetry's rule), GoFr's APP_NAME after it.
    """
    setting = settings["service_name"]
    name: str = found[setting.field]
    given = attributes.get(_SERVICE_NAME)
    if not given or reader.names.get(setting.field) == setting.names[0]:
        return name
    reader.instead(setting, given, settings["resource_attributes"].names[0])
    return given
