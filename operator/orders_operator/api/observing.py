"""`spec.monitoring` and `spec.tracing`: the ServiceMonitor, and where spans are sent."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from orders_common.tracing_settings import Sampler
from orders_operator.api.fields import Duration, Enabled, Key, Labels, Name, has_host

LogLevel = Literal["DEBUG", "INFO", "NOTICE", "WARN", "WARNING", "ERROR", "FATAL"]


class Monitoring(Struct, frozen=True, rename="camel"):
    """A ServiceMonitor, where the cluster has that kind."""

    enabled: Enabled = True
    interval: Annotated[Duration, Meta(description="The time between two scrapes.")] = "15s"
    labels: Annotated[
        Labels, Meta(description="Labels by which a Prometheus selects the ServiceMonitor.")
    ] = {}
    auth: Annotated[
        bool,
        Meta(
            description=(
                "Whether reading metrics needs a credential. The operator creates an API key"
                " for Prometheus and itself in the Secret NAME-metrics. A change rolls the pods."
            )
        ),
    ] = False


class HeadersSecret(Struct, frozen=True, rename="camel"):
    """A Secret that holds headers for the collector."""

    name: Annotated[Name, Meta(description="The name of a Secret in the same namespace.")]
    key: Annotated[
        Key, Meta(description="The key of the Secret. Its value is name=value,name=value.")
    ] = "headers"


class Tracing(Struct, frozen=True, rename="camel"):
    """Export of the spans of sampled requests."""

    endpoint: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^\s]+$",
            max_length=1024,
            description=(
                "The URL of the collector, such as http://collector:4318. With http/protobuf,"
                " /v1/traces is appended."
            ),
        ),
    ]
    enabled: Annotated[bool, Meta(description="Whether spans are exported.")] = True
    protocol: Annotated[
        Literal["http/protobuf", "zipkin"],
        Meta(description="The protocol: OTLP over HTTP, or Zipkin's JSON."),
    ] = "http/protobuf"
    sampler: Annotated[
        Sampler,
        Meta(description="OTEL_TRACES_SAMPLER."),
    ] = "parentbased_traceidratio"
    ratio: Annotated[
        float,
        Meta(
            ge=0,
            le=1,
            description="The share of requests that is sampled, for samplers by ratio.",
        ),
    ] = 1.0
    headers_secret_ref: HeadersSecret | None = None
    resource_attributes: Annotated[
        dict[str, str], Meta(description="Attributes of every span's resource.")
    ] = {}

    def __post_init__(self) -> None:
        """Refuse a host and port of the endpoint that no pattern can check."""
        if not has_host(self.endpoint):
            raise ValueError(
                f"endpoint is {self.endpoint!r}; it needs a host, a port of 1 to 65535"
                " if any, and no invisible characters"
            )
