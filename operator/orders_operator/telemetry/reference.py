"""The operator's reference page, made from its settings and its metrics.

`python -m orders_operator.telemetry.reference` prints it: the settings are those that a reader is
asked for, the metrics those of a scrape.
"""

import sys
from collections.abc import Callable, Iterator
from typing import Any, Final

from prometheus_client.parser import text_string_to_metric_families

from orders_operator.settings import Reader, Settings
from orders_operator.telemetry.metrics import Metrics

_HEAD: Final = """\
# The operator's settings and metrics

<!-- Made by `python -m orders_operator.telemetry.reference`; do not edit. -->

The chart sets these from its values `operator.*`. An empty variable counts as not set. A bad value
is one line that names the variable, what it was and what is allowed; the exit status is 2.

| variable | default | allowed | |
|---|---|---|---|
"""
_METRICS: Final = """
`GET /metrics` on `METRICS_PORT` answers in the Prometheus text format, or in OpenMetrics when the
`Accept` header asks for it. The series of an OrderService disappear when it is deleted.

| metric | type | labels | meaning |
|---|---|---|---|
"""
_ABOUT: Final = {
    "WATCH_NAMESPACES": "The namespaces in which it works; empty means the whole cluster.",
    "POD_NAMESPACE": "Where its Lease and its Events are.",
    "POD_NAME": "The name that distinguishes it from other replicas.",
    "LEASE_NAME": "The Lease by which replicas elect their leader.",
    "METRICS_PORT": "The port of `/metrics`, `/livez` and `/readyz`.",
    "RESYNC_INTERVAL": "How often each OrderService is reconciled without a change.",
    "LOG_LEVEL": "The lowest level that is logged.",
    "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": (
        "Where spans are sent; `/v1/traces` is appended to `OTEL_EXPORTER_OTLP_ENDPOINT`."
    ),
    "OTEL_TRACES_EXPORTER": "How spans are exported; `otlp` if there is an endpoint.",
    "OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "The only supported protocol of `otlp`.",
    "OTEL_TRACES_SAMPLER_ARG": "The share of traces that is sampled, for samplers by ratio.",
    "OTEL_SDK_DISABLED": "`true` exports nothing.",
    "OTEL_BSP_MAX_QUEUE_SIZE": "Spans that may wait to be exported; more are dropped.",
    "OTEL_EXPORTER_OTLP_TRACES_HEADERS": "Headers of an export; a secret.",
    "OTEL_TRACES_SAMPLER": "Which traces are sampled; by ratio if OTEL_TRACES_SAMPLER_ARG is set.",
    "OTEL_SERVICE_NAME": "The `service.name` of spans.",
    "OTEL_RESOURCE_ATTRIBUTES": "Further attributes of the process.",
    "OTEL_BSP_SCHEDULE_DELAY": "Milliseconds between two exports.",
    "OTEL_BSP_MAX_EXPORT_BATCH_SIZE": "The most spans in one export.",
}
_OWN: Final = {"POD_NAMESPACE": "that of its ServiceAccount", "POD_NAME": "host and process id"}
"""Defaults that are known only where the operator runs."""


class _Asked(Reader):
    """Notes every setting that is read, and returns its default."""

    def __init__(self) -> None:
        super().__init__({})
        self.rows: list[str] = []

    def __call__(
        self,
        names: str | tuple[str, ...],
        parser: Callable[[str], Any],  # noqa: ARG002  it has nothing to parse
        default: Any,
        allowed: str,
        *,
        secret: bool = False,
    ) -> Any:
        """Note the names, the default and what is allowed."""
        names = (names,) if isinstance(names, str) else names
        value = f"{default:g}s" if allowed.startswith("a duration") else default
        first, shown = names[0], _OWN.get(names[0]) or _shown(value)
        if secret:
            names = tuple(variable for name in names for variable in (name, f"{name}_FILE"))
        listed = ", ".join(f"`{name}`" for name in names)
        self.rows.append(f"| {listed} | {shown} | {allowed} | {_ABOUT[first]} |\n")
        return default


def page() -> str:
    """Return docs/operator-reference.md."""
    asked = _Asked()
    Settings.read(asked)
    return f"{_HEAD}{''.join(asked.rows)}{_METRICS}{''.join(_metrics())}"


def _metrics() -> Iterator[str]:
    """Scrape the metrics of a process in which everything has happened once."""
    metrics = Metrics("")
    metrics.errors.labels("")
    metrics.changes.labels("", "")
    metrics.events.labels("")
    metrics.conflicts({"": ""})
    metrics.conditions(("", ""), {"": "True"})
    metrics.rollout(("", ""), {"phase": "Stable", "analysis": {"verdict": "Passed"}})
    _, body = metrics.expose("text/plain")
    for family in text_string_to_metric_families(body.decode()):
        if family.name.endswith("_created"):
            continue
        if not family.samples:
            raise LookupError(f"{family.name} has no series here, so its labels are not known")
        labels = ", ".join(f"`{name}`" for name in family.samples[0].labels if name != "le")
        suffix = "_total" if family.type == "counter" else ""
        meaning = family.documentation.rstrip(".")
        yield f"| `{family.name}{suffix}` | {family.type} | {labels} | {meaning} |\n"


def _shown(default: object) -> str:
    return "" if default in (None, "", ()) else f"`{default}`"


if __name__ == "__main__":
    sys.stdout.write(page())
