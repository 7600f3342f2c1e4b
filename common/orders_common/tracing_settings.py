"""The variables of tracing: OpenTelemetry's names are first, then GoFr's."""

from importlib.util import find_spec
from typing import Final, Literal, get_args

from orders_common import parse
from orders_common.settings import TEXT, Setting

OTLP_BASE: Final = "OTEL_EXPORTER_OTLP_ENDPOINT"
"""The one endpoint to which a path is added."""
TRACER_URL: Final = "TRACER_URL"
"""The endpoint of either exporter."""

_URL: Final = "an http or https URL"
_GRPC: Final = ("grpc", "opentelemetry.exporter.otlp.proto.grpc")
Sampler = Literal[
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
]
"""What OTEL_TRACES_SAMPLER may name."""
SAMPLERS: Final[tuple[str, ...]] = get_args(Sampler)


def _protocol(text: str) -> str:
    """Take a protocol of OTLP; that of gRPC is in a package of its own."""
    protocol: str = parse.choice("http/protobuf", "grpc")(text)
    if protocol == "grpc" and any(find_spec(name) is None for name in _GRPC):
        raise ValueError(text)
    return protocol


def tracing_settings(
    distribution: str, *, service_name: str, recorded: str
) -> tuple[Setting, ...]:
    """Return the settings of tracing.

    Args:
        distribution: what is installed, with an extra `grpc`.
        service_name: the default name in traces.
        recorded: what a trace is of, in the plural.

    """
    return (
        Setting(
            "service_name",
            ("OTEL_SERVICE_NAME", "APP_NAME"),
            parse.text,
            service_name,
            TEXT,
            "The service's name in traces. `service.name` in OTEL_RESOURCE_ATTRIBUTES takes "
            "precedence over APP_NAME, but not over OTEL_SERVICE_NAME.",
            "Tracing",
        ),
        Setting(
            "disabled",
            ("OTEL_SDK_DISABLED",),
            parse.boolean,
            default=False,
            allowed="true, false",
            about="Switches tracing off; no other variable of tracing is read then.",
            group="Tracing",
        ),
        Setting(
            "exporter",
            ("OTEL_TRACES_EXPORTER", "TRACE_EXPORTER"),
            parse.choice("otlp", "zipkin", "console", "none", jaeger="otlp"),
            None,
            "otlp, zipkin, console, none",
            "Where spans go. When left out, `otlp` or `zipkin` if its endpoint is set, else "
            "`none`. With `none`, no other variable of tracing is read.",
            "Tracing",
        ),
        Setting(
            "endpoint",
            ("OTEL_EXPORTER_OTLP_TRACES_ENDPOINT", OTLP_BASE, TRACER_URL),
            parse.url,
            None,
            _URL,
            "The collector for `otlp`. When left out, http://localhost:4318, or port 4317 for "
            "gRPC. Over HTTP, OTEL_EXPORTER_OTLP_ENDPOINT is a base to which /v1/traces is "
            "added; the others are used unchanged.",
            "Tracing",
        ),
        Setting(
            "zipkin_endpoint",
            ("OTEL_EXPORTER_ZIPKIN_ENDPOINT", TRACER_URL),
            parse.url,
            None,
            _URL,
            "The collector for `zipkin`. When left out, http://localhost:9411/api/v2/spans.",
            "Tracing",
        ),
        Setting(
            "protocol",
            ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"),
            _protocol,
            "http/protobuf",
            f"http/protobuf; or grpc, which needs {distribution}[grpc] to be installed",
            "How spans are sent to the collector for `otlp`.",
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
            parse.choice(*SAMPLERS),
            None,
            ", ".join(SAMPLERS),
            f"Which {recorded} are recorded. When left out, `parentbased_always_on`, or "
            "`parentbased_traceidratio` if there is a ratio.",
            "Tracing",
        ),
        Setting(
            "ratio",
            ("OTEL_TRACES_SAMPLER_ARG", "TRACER_RATIO"),
            parse.ratio,
            1.0,
            "0 to 1",
            f"The share of {recorded} that the samplers with a ratio record.",
            "Tracing",
        ),
        Setting(
            "resource_attributes",
            ("OTEL_RESOURCE_ATTRIBUTES",),
            parse.pairs,
            "",
            "name=value,name=value",
            "Attributes of every span's resource; `service.version` here replaces the release's.",
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
            "How many spans may gather; further ones are dropped.",
            "Tracing",
        ),
        Setting(
            "max_batch_size",
            ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE",),
            parse.integer(1, 1_000_000),
            None,
            "1 to OTEL_BSP_MAX_QUEUE_SIZE",
            "How many spans are sent at once. When left out, 512, or OTEL_BSP_MAX_QUEUE_SIZE if "
            "that is less.",
            "Tracing",
        ),
    )
