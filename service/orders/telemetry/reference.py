"""The metrics' reference page, made from the declarations.

`python -m orders.telemetry.reference` prints it. What prometheus_client adds (`process_*`, on
Linux only, and `python_info`) is asked of prometheus_client.
"""

import sys
from collections.abc import Iterator
from typing import Final, NamedTuple

from prometheus_client import PlatformCollector, ProcessCollector

from orders.telemetry.declarations import DECLARED
from orders.telemetry.metrics import Metrics

_HEAD: Final = """\
# Metrics

<!-- Made by `python -m orders.telemetry.reference`; do not edit. -->

`GET /metrics` on `METRICS_PORT` (2121) answers in the Prometheus text format, or in OpenMetrics
when the `Accept` header gives `application/openmetrics-text` more weight. OpenMetrics has
exemplars: a bucket of `http_server_request_duration_seconds` names the `trace_id` of the last
recorded trace that fell into it. Names and units follow the conventions of OpenTelemetry and
Prometheus.

No label has a value that a caller can choose. `http_route` is a template or `unmatched`, an
unknown `http_request_method` is `_OTHER`. `url_scheme` is `http`, or `https` with TLS, or what a
proxy says. `problem` is the last part of the problem's `type`, if there is one. `error_type` is
empty unless the service failed: for a request answered 5xx it is the problem, for a batch
`connection-lost`, `statement-refused`, `timeout` or `cancelled`.
`db_operation_name` and `operation` are `insert`, `select`, `insert_many`, `list`, or
`endpoint` for statements of an endpoint of one's own; a batch counts
once, however many requests share it. Probes and scrapes are not counted. The `reason` for which
writes are blocked is `standby`, `lock`, `privilege`, `disk` or `other`. The `outcome` of a
credential is `accepted`, `insufficient-scope`, or why it was refused; of what is open nothing is
counted.

| metric | type | unit | labels | meaning |
|---|---|---|---|---|
"""
_UNITS: Final = {"seconds": "s", "bytes": "bytes"}


class _Row(NamedTuple):
    name: str
    kind: str
    labels: tuple[str, ...]
    meaning: str


def page() -> str:
    """Return docs/metrics.md."""
    metrics = Metrics()
    metrics.close()
    bounds = "".join(
        f"- `{family.name}`: {', '.join(f'{bound:g}' for bound in family.bounds)}\n"
        for family in metrics.histograms
    )
    rows = "".join(map(_line, (*_ours(metrics), *_theirs())))
    return f"{_HEAD}{rows}\nUpper bounds of the buckets, without infinity:\n\n{bounds}"


def _ours(metrics: Metrics) -> Iterator[_Row]:
    for family in metrics.histograms:
        yield _Row(family.name, "histogram", tuple(family.labels), family.help)
    for declared in DECLARED.values():
        yield _Row(declared.name, declared.kind, declared.labels, declared.help)


def _theirs() -> Iterator[_Row]:
    for collector in (ProcessCollector(registry=None), PlatformCollector(registry=None)):
        for family in collector.collect():
            suffix = "_total" if family.type == "counter" else ""
            labels = tuple(family.samples[0].labels)
            meaning = family.documentation.rstrip(".")
            yield _Row(family.name + suffix, family.type, labels, meaning)


def _line(row: _Row) -> str:
    unit = _UNITS.get(row.name.removesuffix("_total").rpartition("_")[2], "")
    labels = ", ".join(f"`{label}`" for label in row.labels)
    return f"| `{row.name}` | {row.kind} | {unit} | {labels} | {row.meaning} |\n"


if __name__ == "__main__":
    sys.stdout.write(page())
