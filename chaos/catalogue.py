"""Every disruption that is tried, with its bounds: the rows of the report, in its order."""

from typing import Final, NamedTuple


class Disruption(NamedTuple):
    """`key` names its chart and its result; `group` is the row that a bound is shared in.

    The short form, which tries every change, leaves out one that is not `quick`.
    """

    key: str
    title: str
    bound: str
    group: str = ""
    quick: bool = True


CHANGES: Final = "changes"
_NONE: Final = "0 failed of 100,000 requests in this and the other changes"
_TOLD: Final = "0 failed"
_KEPT: Final = "0 failed, 0 lost, 0 doubled"
_MEASURED: Final = f"{_KEPT}; no verdict without a measurement"
_DATABASE: Final = "0 failed, 0 lost, 0 doubled; no service pod restarts; /livez 200 throughout"
_UNTOUCHED: Final = "the service untouched"
_BACK: Final = "rolled back within 30 s of the verdict"

DISRUPTIONS: Final = (
    Disruption("chart-upgrade", "Chart upgrade", _NONE, CHANGES),
    Disruption("operator-upgrade", "Operator upgrade", _NONE, CHANGES),
    Disruption("rolling-update", "Rolling update", _NONE, CHANGES),
    Disruption("canary-promoted", "Canary promoted", _NONE, CHANGES),
    Disruption("canary-aborted", "Canary rolled back", _NONE, CHANGES),
    Disruption("scaling", "Scaled from 3 to 1 to 4", _NONE, CHANGES),
    Disruption("node-drain", "Node drained", _NONE, CHANGES),
    # tests/e2e/test_upgrade.py sees to it for every change, without load.
    Disruption(
        "operator-otherwise", "Upgrade to an operator that renders otherwise", _KEPT, quick=False
    ),
    Disruption("secret-rotation", "Secret rotated", _TOLD),
    # tests/e2e/test_rotation.py tries it for every change, without load.
    Disruption("canary-rotation", "Secret rotated in a canary", _KEPT, quick=False),
    Disruption("log-level", "Log level changed", _TOLD),
    Disruption(
        "kill",
        "kill -9 of a pod every 10 s",
        "only requests to that pod fail; with a retry on the key 0 lost, 0 doubled",
    ),
    Disruption("embedded-left", "Embedded database left", _KEPT),
    Disruption("postgresql-killed", "PostgreSQL's pod killed", _DATABASE),
    Disruption("postgresql-failover", "PostgreSQL's primary fails over", _DATABASE),
    Disruption(
        "postgresql-away",
        "PostgreSQL away",
        "503 with Retry-After at once, readiness fails, recovery within 5 s of its return",
    ),
    Disruption(
        "overload",
        "10x overload",
        "goodput 80 % of the peak, refusals in 50 ms, memory bounded, probes answer",
    ),
    Disruption("api-server-away", "API server away", _UNTOUCHED),
    Disruption("operator-away", "Operator away", _UNTOUCHED),
    Disruption(
        "leader-killed", "Operator's leader killed in a canary", "the canary goes on from status"
    ),
    Disruption("webhook-away", "Webhook away for 60 s during a canary", _KEPT),
    Disruption("quota", "Quota hit in a rolling update", _KEPT),
    # tests/e2e/test_operator.py tries it for every change, without load.
    Disruption("two-operators", "Two operators", _KEPT, quick=False),
    Disruption("bad-image", "Canary with an image that is not there", _BACK),
    Disruption("failing-migration", "Canary whose migration fails", _BACK),
    Disruption("errors", "Canary with 5 % errors", _BACK),
    Disruption("slow", "Canary with a p99 of three times the stable pods'", _BACK),
    Disruption("no-traffic", "Canary without requests", "held, and said so"),
    # tests/e2e and tests/operator/apiserver try these three as well, under less load.
    Disruption("autoscaler", "Autoscaler out and in beside a canary", _MEASURED, quick=False),
    Disruption("unreadable", "Canary whose metrics cannot be read", _MEASURED, quick=False),
    Disruption("prometheus-away", "Prometheus away during an analysis", _MEASURED, quick=False),
    Disruption("clock-skew", "Clocks 5 minutes ahead", "no errors within the deadline"),
    Disruption("network-delay", "200 ms to PostgreSQL", "no errors within the deadline"),
    Disruption("soak", "Soak", "RSS grows less than 2 MB an hour, no descriptor stays open"),
)


def disruption(key: str) -> Disruption:
    """Return the one of this key."""
    return next(it for it in DISRUPTIONS if it.key == key)
