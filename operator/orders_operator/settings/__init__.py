"""The configuration: one frozen object, read once from the environment.

A bad value is a `SettingsError`: one line that names the variable, what it was, and what is
allowed. An empty variable counts as not set, as Kubernetes leaves it. The variables of tracing
have the same names as in the order service, with three differences: OTLP supports only
http/protobuf, the service's name defaults to `orders-operator`, and a secret's own variable takes
precedence over its file.
"""

import os
import re
import socket
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from orders_operator.settings import parse

_SHOWN: Final = 80
_PORTS: Final = range(1, 65_536)
_DELAYS: Final = range(1, 3_600_001)
_QUEUES: Final = range(1, 1_000_001)
_BATCH: Final = 512
_SAMPLERS: Final = (
    "always_on",
    "always_off",
    "traceidratio",
    "parentbased_always_on",
    "parentbased_always_off",
    "parentbased_traceidratio",
)
_ENDPOINTS: Final = (
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT",
    "OTEL_EXPORTER_OTLP_ENDPOINT",
    "OTEL_EXPORTER_ZIPKIN_ENDPOINT",
    "TRACER_URL",
)
_HEADERS: Final = ("OTEL_EXPORTER_OTLP_TRACES_HEADERS", "OTEL_EXPORTER_OTLP_HEADERS")
_NAMESPACE_FILE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


class SettingsError(Exception):
    """A setting has a value that is not allowed; the message is one line."""


class TracingSettings(Struct, frozen=True):
    """Whether and where spans of reconciles are exported, and which of them."""

    exporter: str = "none"
    endpoint: str | None = None
    headers: str | None = None
    sampler: str = "parentbased_always_on"
    ratio: float = 1.0
    service_name: str = "orders-operator"
    resource_attributes: str = ""
    schedule_delay: int = 5000
    max_queue_size: int = 2048
    max_batch_size: int = 512

    def __repr__(self) -> str:
        """Leave out the headers and the endpoint, which may hold credentials."""
        return f"TracingSettings(exporter={self.exporter!r})"


class Settings(Struct, frozen=True):
    """All settings; durations are seconds.

    An empty `namespaces` means the whole cluster. `lease_name` is the Lease by which replicas
    elect their leader. With `pod_namespace` it is also this release's name to other releases; it
    equals the Deployment's name.
    """

    namespaces: tuple[str, ...] = ()
    pod_namespace: str = "default"
    pod_name: str = ""
    lease_name: str = "orders-operator"
    metrics_port: int = 2121
    resync_interval: float = 300.0
    log_level: str = "INFO"
    tracing: TracingSettings = TracingSettings()

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read every setting from environment variables.

        Raises:
            SettingsError: a value is not allowed.

        """
        return cls.read(Reader(environ))

    @classmethod
    def read(cls, read: "Reader") -> "Settings":
        """Read every setting with a reader."""
        return cls(
            namespaces=read(
                "WATCH_NAMESPACES", parse.names, (), "names of namespaces, separated by commas"
            ),
            pod_namespace=read(
                "POD_NAMESPACE", parse.name, _own_namespace(), "a namespace's name"
            ),
            pod_name=read("POD_NAME", parse.name, _own_name(), "a pod's name"),
            lease_name=read("LEASE_NAME", parse.name, "orders-operator", "a Lease's name"),
            metrics_port=read("METRICS_PORT", parse.within(_PORTS), 2121, "a port, 1 to 65535"),
            resync_interval=read(
                "RESYNC_INTERVAL", parse.interval, 300.0, "a duration, 1s to 24h, as 30s or 5m"
            ),
            log_level=read(
                "LOG_LEVEL",
                parse.choice("DEBUG", "INFO", "WARNING", "ERROR", warn="WARNING", fatal="ERROR"),
                "INFO",
                "DEBUG, INFO, WARN, WARNING, ERROR, FATAL",
            ),
            tracing=_tracing(read),
        )


class Reader:
    """Reads variables and notes which of several names was set."""

    def __init__(self, environ: Mapping[str, str]) -> None:
        self._environ = environ
        self.found: dict[str, str] = {}

    def __call__(
        self,
        names: str | tuple[str, ...],
        parser: Callable[[str], Any],
        default: Any,
        allowed: str,
        *,
        secret: bool = False,
    ) -> Any:
        """Return the value of the first of the names that is set."""
        names = (names,) if isinstance(names, str) else names
        for name in names:
            text = self._environ.get(name)
            if not text:
                continue
            self.found[names[0]] = name
            try:
                return parser(text)
            except ValueError:
                told = "a secret" if secret else repr(shown(text))
                raise SettingsError(f"{name} is {told}; allowed: {allowed}") from None
        return default

    def file(
        self, names: tuple[str, ...], parser: Callable[[str], str], allowed: str
    ) -> str | None:
        """Return the secret in the file of `<NAME>_FILE`; None if no such variable is set."""
        for name in names:
            path = self._environ.get(f"{name}_FILE")
            if not path:
                continue
            try:
                content = Path(path).read_text(encoding="utf-8").strip()
            except (OSError, ValueError):
                raise SettingsError(
                    f"{name}_FILE is {shown(path)!r}; allowed: the path of a readable file"
                ) from None
            try:
                return parser(content)
            except ValueError:
                raise SettingsError(
                    f"{name}_FILE has a secret; allowed: a file with {allowed}"
                ) from None
        return None


def _tracing(read: Reader) -> TracingSettings:
    endpoint = read(_ENDPOINTS, parse.url, None, "an http or https URL")
    if endpoint is not None and read.found[_ENDPOINTS[0]] == "OTEL_EXPORTER_OTLP_ENDPOINT":
        endpoint = endpoint.rstrip("/") + "/v1/traces"
    exporter = read(
        ("OTEL_TRACES_EXPORTER", "TRACE_EXPORTER"),
        parse.choice("otlp", "zipkin", "console", "none", jaeger="otlp"),
        "none" if endpoint is None else "otlp",
        "otlp, zipkin, console, none",
    )
    read(
        ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL"),
        parse.choice("http/protobuf"),
        None,
        "http/protobuf",
    )
    ratio_names = ("OTEL_TRACES_SAMPLER_ARG", "TRACER_RATIO")
    ratio = read(ratio_names, parse.ratio, 1.0, "0 to 1")
    by_ratio = ratio_names[0] in read.found
    disabled = read("OTEL_SDK_DISABLED", parse.choice("true", "false"), "false", "true, false")
    queue = read("OTEL_BSP_MAX_QUEUE_SIZE", parse.within(_QUEUES), 2048, "1 to 1000000")
    pairs = "name=value,name=value"
    headers = read(_HEADERS, parse.pairs, None, pairs, secret=True)
    return TracingSettings(
        exporter="none" if disabled == "true" else exporter,
        endpoint=endpoint,
        headers=read.file(_HEADERS, parse.pairs, pairs) if headers is None else headers,
        sampler=read(
            "OTEL_TRACES_SAMPLER",
            parse.choice(*_SAMPLERS),
            "parentbased_traceidratio" if by_ratio else "parentbased_always_on",
            ", ".join(_SAMPLERS),
        ),
        ratio=ratio,
        service_name=read(
            ("OTEL_SERVICE_NAME", "APP_NAME"),
            parse.text,
            "orders-operator",
            "text without control characters",
        ),
        resource_attributes=read("OTEL_RESOURCE_ATTRIBUTES", parse.pairs, "", pairs),
        schedule_delay=read(
            "OTEL_BSP_SCHEDULE_DELAY", parse.within(_DELAYS), 5000, "1 to 3600000"
        ),
        max_queue_size=queue,
        max_batch_size=read(
            "OTEL_BSP_MAX_EXPORT_BATCH_SIZE",
            parse.within(range(1, queue + 1)),
            min(_BATCH, queue),
            "1 to OTEL_BSP_MAX_QUEUE_SIZE",
        ),
    )


def shown(text: str) -> str:
    """Return the beginning of a text, without the credentials of a URL in it."""
    masked = re.sub(r"://.*@", "://***@", text, flags=re.DOTALL)
    return masked if len(masked) <= _SHOWN else masked[:_SHOWN] + "..."


def _own_namespace() -> str:
    """Return the namespace of the pod's service account, `default` outside a cluster."""
    try:
        return _NAMESPACE_FILE.read_text(encoding="utf-8").strip()
    except OSError:
        return "default"


def _own_name() -> str:
    """Return a name for this process, from the host name and the process id."""
    host = re.sub(r"[^-a-z0-9]", "-", socket.gethostname().lower()).strip("-") or "operator"
    return f"{host}-{os.getpid()}"
