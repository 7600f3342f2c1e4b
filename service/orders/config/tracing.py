"""Tracing: its variables, and what they come to. OpenTelemetry's names are first, then GoFr's."""

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

from orders.config import parse
from orders.config.parse import masked
from orders.config.setting import TEXT, Setting

_OTLP_BASE: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
_SAMPLERS: Final = (
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
)

TRACING: Final = (
    Setting(
        "service_name",
        ("OTEL_SERVICE_NAME", "APP_NAME"),
        parse.text,
        "orders",
        TEXT,
        "The service's name in traces.",
        "Tracing",
    ),
    Setting(
        "disabled",
        ("OTEL_SDK_DISABLED",),
        parse.boolean,
        default=False,
        allowed="true, false",
        about="Switches tracing off.",
        group="Tracing",
    ),
    Setting(
        "exporter",
        ("OTEL_TRACES_EXPORTER", "TRACE_EXPORTER"),
        parse.choice("otlp", "zipkin", "console", "none", jaeger="otlp"),
        None,
        "otlp, zipkin, console, none",
        "Where spans go; `otlp` when an endpoint is set, else `none`.",
        "Tracing",
    ),
    Setting(
        "endpoint",
        (
            "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
            "OTEL_EXPORTER_OTLP_ENDPOINT",
            "OTEL_EXPORTER_ZIPKIN_ENDPOINT",
            "TRACER_URL",
        ),
        parse.url,
        None,
        "an http or https URL",
        "The collector. OTEL_EXPORTER_OTLP_ENDPOINT is a base, to which /v1/traces is added; "
        "the others are taken as they are.",
        "Tracing",
    ),
    Setting(
        "protocol",
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"),
        parse.choice("http/protobuf"),
        "http/protobuf",
        "http/protobuf",
        "How spans travel to the collector.",
        "Tracing",
    ),
    Setting(
        "headers",
        ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS"),
        parse.pairs,
        None,
        "name=value,name=value",
        "Headers sent to the collector.",
        "Tracing",
        secret=True,
    ),
    Setting(
        "sampler",
        ("OTEL_TRACES_SAMPLER",),
        parse.choice(*_SAMPLERS),
        None,
        ", ".join(_SAMPLERS),
        "Which requests are recorded; `parentbased_always_on`, or with TRACER_RATIO "
        "`parentbased_traceidratio`, when left out.",
        "Tracing",
    ),
    Setting(
        "ratio",
        ("OTEL_TRACES_SAMPLER_ARG", "TRACER_RATIO"),
        parse.ratio,
        1.0,
        "0 to 1",
        "The share of requests recorded by the samplers with a ratio.",
        "Tracing",
    ),
    Setting(
        "resource_attributes",
        ("OTEL_RESOURCE_ATTRIBUTES",),
        parse.pairs,
        "",
        "name=value,name=value",
        "Attributes of every span's resource.",
        "Tracing",
    ),
    Setting(
        "schedule_delay",
        ("OTEL_BSP_SCHEDULE_DELAY",),
        parse.integer(1, 3_600_000),
        5000,
        "1 to 3600000",
        "How long spans gather before they are sent.",
        "Tracing",
        unit="ms",
    ),
    Setting(
        "max_queue_size",
        ("OTEL_BSP_MAX_QUEUE_SIZE",),
        parse.integer(1, 1_000_000),
        2048,
        "1 to 1000000",
        "How many spans may gather; more are dropped.",
        "Tracing",
    ),
    Setting(
        "max_batch_size",
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE",),
        parse.integer(1, 1_000_000),
        None,
        "1 to OTEL_BSP_MAX_QUEUE_SIZE",
        "How many spans are sent at once; 512 when left out, or as many as may gather.",
        "Tracing",
    ),
)
_BATCH: Final = 512


class TracingConfig(Struct, frozen=True):
    """Whether spans are exported, which, and where to."""

    exporter: str
    endpoint: str | None
    headers: str | None
    sampler: str
    ratio: float
    resource_attributes: str
    schedule_delay: int
    max_queue_size: int
    max_batch_size: int

    def __repr__(self) -> str:
        """Leave the headers out: they hold credentials, as the endpoint may."""
        return (
            f"TracingConfig(exporter={self.exporter!r}, endpoint={masked(self.endpoint or '')!r})"
        )


def from_found(found: Mapping[str, Any], names: Mapping[str, str]) -> TracingConfig:
    """
    Make the configuration of what was found.

    Args:
        found: the settings' values by field.
        names: the variables they were read from, by field.

    Raises:
        ValueError: with the name of the field that is wrong.

    """
    queue = found["max_queue_size"]
    batch = found["max_batch_size"] or min(_BATCH, queue)
    if batch > queue:
        msg = "max_batch_size"
        raise ValueError(msg)
    endpoint, exporter = found["endpoint"], found["exporter"]
    if endpoint is not None and names.get("endpoint") == _OTLP_BASE:
        endpoint = endpoint.rstrip("/") + "/v1/traces"
    if exporter is None:
        exporter = "none" if endpoint is None else "otlp"
    sampler = found["sampler"] or (
        "parentbased_traceidratio" if "ratio" in names else "parentbased_always_on"
    )
    return TracingConfig(
        exporter="none" if found["disabled"] else exporter,
        endpoint=endpoint,
        headers=found["headers"],
        sampler=sampler,
        ratio=found["ratio"],
        resource_attributes=found["resource_attributes"],
        schedule_delay=found["schedule_delay"],
        max_queue_size=queue,
        max_batch_size=batch,
    )
