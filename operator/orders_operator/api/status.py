"""`status`: the observed state, as types from which the CRD's schema is made."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from orders_operator.api.conditions import ConditionType


class Condition(Struct, frozen=True, rename="camel"):
    """A metav1.Condition."""

    type: Annotated[str, Meta(max_length=316, description=", ".join(ConditionType))]
    status: Literal["True", "False", "Unknown"]
    reason: Annotated[str, Meta(max_length=1024, description="One of a closed set of reasons.")]
    message: Annotated[str, Meta(max_length=32768, description="A message for people.")]
    last_transition_time: Annotated[
        str,
        Meta(
            extra_json_schema={"format": "date-time"},
            description="When the status last changed.",
        ),
    ]
    observed_generation: Annotated[
        int, Meta(description="The metadata.generation that the condition is about.")
    ]


class Measured(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What the pods of one revision answered in a window."""

    pods: int
    requests: int
    errors: Annotated[int, Meta(description="The number of requests that were answered with 5xx.")]
    error_ratio: float
    p99_milliseconds: Annotated[
        float | None,
        Meta(
            description=(
                "The longest time that 99 of 100 requests took. Absent if there were none, or"
                " if it exceeds the last bucket."
            )
        ),
    ] = None


class AnalysisStatus(Struct, frozen=True, rename="camel", omit_defaults=True):
    """The last window of a rollout, and the totals of all its windows."""

    verdict: Literal["Passed", "Failed", "Inconclusive"]
    message: str
    at: Annotated[
        str,
        Meta(extra_json_schema={"format": "date-time"}, description="When the window ended."),
    ]
    window_seconds: Annotated[float, Meta(description="The length of the window.")]
    stage: Annotated[
        str | None, Meta(description="The stage of the rollout: step N, promotion or bake.")
    ] = None
    passes: Annotated[
        int, Meta(description="The number of windows that passed in this stage.")
    ] = 0
    failures: Annotated[
        int, Meta(description="The number of windows that failed in this rollout.")
    ] = 0
    canary: Measured | None = None
    stable: Measured | None = None


class FailedRevision(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A revision that is not tried again until the spec, or what it alone reads, changes."""

    revision: str
    reason: Annotated[str, Meta(description="The reason, as in the condition Degraded.")]
    message: str
    at: Annotated[str, Meta(extra_json_schema={"format": "date-time"}, description="When.")]
    content: Annotated[
        str | None,
        Meta(
            description=(
                "A hash of what this revision, but not the stable one, reads from Secrets and"
                " ConfigMaps. When it changes, the revision is tried again."
            )
        ),
    ] = None


Phase = Literal[
    "Stable",
    "Progressing",
    "Canary",
    "Paused",
    "Promoting",
    "Baking",
    "RolledBack",
    "Halted",
]


class RolloutStatus(Struct, frozen=True, rename="camel", omit_defaults=True):
    """The state of the rollout, from which another replica of the operator continues."""

    phase: Annotated[
        Phase,
        Meta(
            description=(
                "Stable: one revision serves. Progressing: pods are replaced one by one."
                " Canary, Paused: a new revision runs beside the stable one. Promoting: it"
                " replaces the stable one. Baking: it has replaced the stable one and is still"
                " judged. RolledBack: it failed, and the stable one serves. Halted: it failed,"
                " and rollback is Manual."
            )
        ),
    ]
    revision: Annotated[str | None, Meta(description="The revision that the spec declares.")] = (
        None
    )
    stable: Annotated[str | None, Meta(description="The revision to go back to.")] = None
    canary: Annotated[str | None, Meta(description="The revision of the canary pods.")] = None
    step: Annotated[
        int | None, Meta(description="The current step of the canary, counted from 1.")
    ] = None
    steps: Annotated[int | None, Meta(description="The number of steps.")] = None
    weight: Annotated[
        int | None, Meta(description="The share of requests that the canary pods get, in percent.")
    ] = None
    started_at: Annotated[
        str | None,
        Meta(extra_json_schema={"format": "date-time"}, description="When the rollout began."),
    ] = None
    step_at: Annotated[
        str | None,
        Meta(extra_json_schema={"format": "date-time"}, description="When the step began."),
    ] = None
    settled_at: Annotated[
        str | None,
        Meta(
            extra_json_schema={"format": "date-time"},
            description=(
                "When all pods of the step, or of the whole rollout, served. The duration of"
                " the step, or bake, counts from here."
            ),
        ),
    ] = None
    stable_pods: Annotated[
        int | None,
        Meta(
            description=(
                "The number of stable pods when the canary began. An autoscaler keeps as many,"
                " so that a rollback costs no capacity."
            )
        ),
    ] = None
    analysis: AnalysisStatus | None = None
    failed: FailedRevision | None = None
    message: Annotated[str | None, Meta(description="A message for people.")] = None


class RetainedClaim(Struct, frozen=True, rename="camel"):
    """The claim with the orders of a removed embedded database; a person deletes it."""

    name: str
    delete_with: Annotated[str, Meta(description="The command that deletes it permanently.")]


class Autoscaled(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What an autoscaler leaves behind when `autoscaling` is removed."""

    replicas: Annotated[int, Meta(description="The value of spec.replicas under autoscaling.")]
    pods: Annotated[
        int | None,
        Meta(
            description=(
                "The number of pods when autoscaling was removed, which stays until"
                " spec.replicas changes. Absent while there is autoscaling."
            )
        ),
    ] = None


class OrderServiceStatus(Struct, frozen=True, rename="camel"):
    """The observed state."""

    conditions: Annotated[
        tuple[Condition, ...],
        Meta(
            extra_json_schema={
                "x-kubernetes-list-type": "map",
                "x-kubernetes-list-map-keys": ["type"],
            }
        ),
    ] = ()
    observed_generation: Annotated[
        int | None,
        Meta(
            description=(
                "The metadata.generation that this status is about, also while `paused` is set;"
                " -1 before the first reconcile."
            )
        ),
    ] = None
    replicas: Annotated[int | None, Meta(description="The number of pods, old and new.")] = None
    ready_replicas: Annotated[int | None, Meta(description="The number of pods that serve.")] = (
        None
    )
    stable_replicas: Annotated[
        int | None,
        Meta(
            description=(
                "The number of pods without those of a canary, for the scale subresource: those"
                " that `selector` selects and spec.replicas counts."
            )
        ),
    ] = None
    selector: Annotated[
        str | None, Meta(description="The label selector of the pods, for the scale subresource.")
    ] = None
    version: Annotated[str | None, Meta(description="The release of the service.")] = None
    image: Annotated[str | None, Meta(description="The image that runs, with its digest.")] = None
    schema_version: Annotated[
        int | None, Meta(description="The number of the last migration.")
    ] = None
    url: Annotated[str | None, Meta(description="The URL of the API for callers.")] = None
    secrets_hash: Annotated[
        str | None, Meta(description="A hash of the Secrets and ConfigMaps that the pods use.")
    ] = None
    rollout: RolloutStatus | None = None
    retained_claim: RetainedClaim | None = None
    autoscaled: Autoscaled | None = None
