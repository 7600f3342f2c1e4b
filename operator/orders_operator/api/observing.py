"""What is told to Prometheus, and where spans go."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from orders_operator.api.fields import Duration, Enabled, Key, Labels, Name, has_host

LogLevel = Literal["DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "FATAL"]


class Monitoring(Struct, frozen=True, rename="camel"):
    """A ServiceMonitor, where the cluster has that kind."""

    enabled: Enabled = True
    interval: Annotated[Duration, Meta(description="Between two scrapes.")] = "15s"
    labels: Annotated[
        Labels, Meta(description="By which a Prometheus selects the ServiceMonitor.")
    ] = {}


class HeadersSecret(Struct, frozen=True, rename="camel"):
    """A Secret that holds headers for the collector."""

    name: Annotated[Name, Meta(description="Of a Secret in the same namespace.")]
    key: Annotated[Key, Meta(description="Whose value is name=value,name=value.")] = "headers"


class Tracing(Struct, frozen=True, rename="camel"):
    """Spans of sampled requests."""

    endpoint: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^\s]+$",
            max_length=1024,
            description="The collector, such as http://collector:4318; /v1/traces is added to it"
            " for http/protobuf.",
        ),
    ]
    enabled: Annotated[bool, Meta(description="Whether spans are sent.")] = True
    protocol: Annotated[
        Literal["http/protobuf", "zipkin"], Meta(description="OTLP over HTTP, or Zipkin's JSON.")
    ] = "http/protobuf"
    sampler: Annotated[
        Literal[
            "always_on",
            "always_off",
            "traceidratio",
            "parentbased_always_on",
            "parentbased_always_off",
            "parentbased_traceidratio",
        ],
        Meta(description="OTEL_TRACES_SAMPLER."),
    ] = "parentbased_traceidratio"
    ratio: Annotated[
        float, Meta(ge=0, le=1, description="Share of requests that samplers with a ratio take.")
    ] = 1.0
    headers_secret_ref: HeadersSecret | None = None
    resource_attributes: Annotated[
        dict[str, str], Meta(description="Of every span's resource.")
    ] = {}

    def __post_init__(self) -> None:
        """Refuse an endpoint that no pattern can: its host and port."""
        if not has_host(self.endpoint):
            raise ValueError(
                f"endpoint is {self.endpoint!r}; it needs a host, a port of 1 to 65535"
                " if any, and no invisible characters"
            )
