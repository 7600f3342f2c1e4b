"""`spec.rollout`: how a new revision of the pods is rolled out, and when it is rolled back."""

from typing import Annotated, Final, Literal

from msgspec import Meta, Struct

from orders_operator.api.fields import Duration, PodsOrShare

Ratio = Annotated[float, Meta(ge=0, le=1)]
Latency = Annotated[str, Meta(pattern=r"^[0-9]{1,6}(ms|s)$", max_length=8)]
"""Whole milliseconds or seconds: 250ms, 2s."""

PROMOTE: Final = "orders.dev/promote"
"""Annotation: promote this revision, whatever its steps and its analysis say."""
ABORT: Final = "orders.dev/abort"
"""Annotation: give up this revision."""
PAUSE: Final = "orders.dev/pause"
"""Annotation: this revision stays at its step."""
RETRY: Final = "orders.dev/retry"
"""Annotation: a failed revision may try again; REVISION@FAILED-AT, for one failure only."""

RESTART: Final = "orders.dev/restart"
"""Annotation: a time; a later one makes another revision of the same declaration."""


class Step(Struct, frozen=True, rename="camel"):
    """One step of a canary."""

    weight: Annotated[
        int,
        Meta(
            ge=1,
            le=100,
            description="The share of requests that the canary pods get, in percent.",
        ),
    ]
    duration: Annotated[
        Duration, Meta(description="The shortest time that the step lasts once its pods serve.")
    ] = "1m"


class AnalysisPrometheus(Struct, frozen=True, rename="camel"):
    """A Prometheus that is queried instead of the pods themselves."""

    url: Annotated[
        str,
        Meta(
            pattern=r"^https?://[^\s]+$",
            max_length=1024,
            description="The base URL, such as http://prometheus.monitoring:9090.",
        ),
    ]


class Analysis(Struct, frozen=True, rename="camel"):
    """Limits for the metrics of the canary pods, judged window by window."""

    max_error_ratio: Annotated[
        Ratio, Meta(description="The largest share of requests that may be answered with 5xx.")
    ] = 0.01
    max_latency_p99: Annotated[
        Latency | None, Meta(description="The longest time that 99 of 100 requests may take.")
    ] = None
    max_latency_increase: Annotated[
        Annotated[float, Meta(ge=1, le=1000)] | None,
        Meta(description="The largest ratio of their p99 to that of the stable pods."),
    ] = None
    min_requests: Annotated[
        int,
        Meta(
            ge=0,
            le=1_000_000,
            description=(
                "The number of requests that a window needs for a verdict. The rollout waits"
                " for them; with 0 it continues without any."
            ),
        ),
    ] = 100
    interval: Annotated[Duration, Meta(description="The length of a window.")] = "30s"
    failure_limit: Annotated[
        int, Meta(ge=0, le=100, description="The number of windows of a rollout that may fail.")
    ] = 1
    prometheus: AnalysisPrometheus | None = None


class Canary(Struct, frozen=True, rename="camel"):
    """A few pods of the new revision beside the stable ones, then more, then all."""

    steps: Annotated[
        tuple[Step, ...],
        Meta(min_length=1, max_length=32, description="The steps, in this order."),
    ] = (Step(weight=10), Step(weight=25), Step(weight=50))
    analysis: Analysis = Analysis()


class RollingUpdate(Struct, frozen=True, rename="camel"):
    """How pods are replaced: in a rolling update, and when a canary is promoted."""

    max_surge: Annotated[
        PodsOrShare,
        Meta(
            description=(
                "The number or share of pods that may exist in addition to the declared ones."
            )
        ),
    ] = 1
    max_unavailable: Annotated[
        PodsOrShare,
        Meta(
            description=(
                "The number or share of the declared pods that may be missing. With 0, none is"
                " ever missing."
            )
        ),
    ] = 0
    analysis: Annotated[
        Analysis | None,
        Meta(
            description=(
                "The analysis that judges the new pods during a rolling update, and for `bake`"
                " after it. Without it, a rolling update is not judged."
            )
        ),
    ] = None


class Rollout(Struct, frozen=True, rename="camel"):
    """How a change of the pods is rolled out."""

    strategy: Annotated[
        Literal["RollingUpdate", "Canary"],
        Meta(
            description=(
                "RollingUpdate replaces pod by pod; Canary first runs new pods beside the stable"
                " ones and judges them."
            )
        ),
    ] = "RollingUpdate"
    canary: Canary = Canary()
    rolling_update: RollingUpdate = RollingUpdate()
    min_ready_seconds: Annotated[
        int,
        Meta(
            ge=0,
            le=3600,
            description=(
                "How long a new pod must be ready without a crash before the next one is"
                " replaced, and before it counts towards a step of a canary."
            ),
        ),
    ] = 0
    bake: Annotated[
        Duration,
        Meta(
            description=(
                "How long the new revision is judged by its absolute limits after it was rolled"
                " out, and rolled back if it fails: at least one window."
            )
        ),
    ] = "60s"
    progress_deadline: Annotated[
        Duration | None,
        Meta(
            description=(
                "How long pods may take until they serve. Defaults to 10m, or to 5m more than"
                " migrations may take."
            )
        ),
    ] = None
    rollback: Annotated[
        Literal["Automatic", "Manual"],
        Meta(
            description=(
                "What happens on a failure: Automatic goes back to the stable revision, Manual"
                " halts the rollout."
            )
        ),
    ] = "Automatic"
    history: Annotated[
        int,
        Meta(
            ge=0,
            le=100,
            description="The number of revisions that are kept in addition to those in use.",
        ),
    ] = 10


def judged_by(declared: Rollout) -> Analysis | None:
    """Return the analysis by which a rollout is judged; None if it is not."""
    if declared.strategy == "Canary":
        return declared.canary.analysis
    return declared.rolling_update.analysis
