"""The operator's reference page, made from its settings and its metrics.

`python -m orders_operator.telemetry.reference` prints it: the metrics are those of a scrape.
"""

import sys
from collections.abc import Iterator
from typing import Final

from prometheus_client.parser import text_string_to_metric_families

from orders_operator.settings import SETTINGS, TRACING
from orders_operator.telemetry.metrics import Metrics

_HEAD: Final = """\
# The operator's settings and metrics

<!-- Made by `python -m orders_operator.telemetry.reference`; do not edit. -->

The chart sets these from its values `operator.*`. An empty variable counts as not set. A bad value
is one line that names the variable, what it was and what is allowed; the exit status is 2. Where a
row has several names, the first one that is set counts. A secret can be given as a file instead:
the path in the variable with `_FILE` added.

| variable | default | allowed | |
|---|---|---|---|
"""
_METRICS: Final = """
`GET /metrics` on `METRICS_PORT` answers in the Prometheus text format, or in OpenMetrics when the
`Accept` header asks for it. The series of an OrderService disappear when it is deleted.

| metric | type | labels | meaning |
|---|---|---|---|
"""


def page() -> str:
    """Return docs/operator-reference.md."""
    rows = (setting.row() for setting in (*SETTINGS, *TRACING))
    return f"{_HEAD}{''.join(rows)}{_METRICS}{''.join(_metrics())}"


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


if __name__ == "__main__":
    sys.stdout.write(page())
