"""Reads the variables of tracing: where spans go, which ones, and how they describe the service.

The exporter decides which of the other variables count. If it is explicitly none, no other
variable of tracing is read, and none has to be right.
"""

from collections.abc import Mapping
from typing import Any, Final, Protocol

from msgspec import Struct

from orders.config import parse
from orders.config.masking import masked_value
from orders.config.settings import Setting
from orders.config.tracing_settings import OTLP_BASE, TRACER_URL, TRACING

_BATCH: Final = 512
_SERVICE_NAME: Final = "service.name"
_BY_FIELD: Final = {setting.field: setting for setting in TRACING}
_OFF: Final = {"exporter": "none", "disabled": True}
_UNREAD: Final = {
    "otlp": ("zipkin_endpoint",),
    "zipkin": ("endpoint", "protocol", "headers"),
    "console": ("endpoint", "zipkin_endpoint", "protocol", "headers"),
    "none": (),
}
"""What does not count, by exporter; for none that nobody asked for, everything is still read."""


class Reader(Protocol):
    """What reads settings, and notes what is in force."""

    names: dict[str, str]
    """The variables that settings were read from, by field."""

    def read(self, setting: Setting) -> Any:
        """Return a setting's value; raise what names a variable that is wrong."""

    def says(self, setting: Setting, value: Any) -> bool:
        """Whether a setting has this value; one that is wrong has none."""

    def given(self, setting: Setting) -> str | None:
        """Return the variable that a setting would be read from."""

    def unread(self, setting: Setting) -> Any:
        """Return a setting's default, as it does not count."""

    def instead(self, setting: Setting, value: Any, name: str) -> None:
        """Note that a value came from another setting's variable."""


class TracingConfig(Struct, frozen=True):
    """Whether spans are exported, which, and where to; an endpoint of None is the exporter's."""

    exporter: str
    protocol: str
    endpoint: str | None
    headers: str | None
    sampler: str
    ratio: float
    service_name: str
    resource_attributes: Mapping[str, str]
    schedule_delay: int
    max_queue_size: int
    max_batch_size: int

    def __repr__(self) -> str:
        """Leave the headers out: they hold credentials, as the endpoint may."""
        shown = masked_value(self.endpoint or "")
        return f"TracingConfig(exporter={self.exporter!r}, endpoint={shown!r})"


def read_tracing(reader: Reader) -> TracingConfig:
    """Read the settings that count.

    Raises:
        ValueError: with the name of the field that does not fit the others.

    """
    off = [field for field, value in _OFF.items() if reader.says(_BY_FIELD[field], value)]
    if off:
        return _made(
            {s.field: (reader.read if s.field in off else reader.unread)(s) for s in TRACING},
            "none",
            reader,
        )
    found = {"exporter": reader.read(_BY_FIELD["exporter"])}
    exporter = found["exporter"] or _implied(reader)
    for setting in TRACING:
        if setting.field in _UNREAD[exporter]:
            found[setting.field] = reader.unread(setting)
        elif setting.field != "exporter":
            found[setting.field] = reader.read(setting)
    return _made(found, exporter, reader)


def _implied(reader: Reader) -> str:
    """Return the exporter whose endpoint is set, if none is named."""
    if reader.given(_BY_FIELD["endpoint"]) not in {None, TRACER_URL}:
        return "otlp"
    zipkin = reader.given(_BY_FIELD["zipkin_endpoint"])
    return "none" if zipkin is None else "otlp" if zipkin == TRACER_URL else "zipkin"


def _made(found: Mapping[str, Any], exporter: str, reader: Reader) -> TracingConfig:
    queue = found["max_queue_size"]
    batch = found["max_batch_size"] or min(_BATCH, queue)
    if batch > queue:
        raise ValueError("max_batch_size")
    attributes = parse.split_pairs(found["resource_attributes"])
    return TracingConfig(
        exporter=exporter,
        protocol=found["protocol"],
        endpoint=_endpoint(found, exporter, reader.names),
        headers=found["headers"],
        sampler=found["sampler"]
        or f"parentbased_{'traceidratio' if 'ratio' in reader.names else 'always_on'}",
        ratio=found["ratio"],
        service_name=_service_name(found, attributes, reader),
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


def _service_name(found: Mapping[str, Any], attributes: Mapping[str, str], reader: Reader) -> str:
    """Return the name, which an attribute of the resource may give.

    OTEL_SERVICE_NAME comes before the attribute (OpenTelemetry's rule), GoFr's APP_NAME after it.
    """
    setting = _BY_FIELD["service_name"]
    name: str = found[setting.field]
    given = attributes.get(_SERVICE_NAME)
    if not given or reader.names.get(setting.field) == setting.names[0]:
        return name
    reader.instead(setting, given, _BY_FIELD["resource_attributes"].names[0])
    return given
