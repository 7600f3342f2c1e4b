"""`status`: what the operator saw, as types from which the CRD's schema is made."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from orders_operator.api.conditions import ConditionType


class Condition(Struct, frozen=True, rename="camel"):
    """A metav1.Condition."""

    type: Annotated[str, Meta(max_length=316, description=", ".join(ConditionType))]
    status: Literal["True", "False", "Unknown"]
    reason: Annotated[str, Meta(max_length=1024, description="From a closed set.")]
    message: Annotated[str, Meta(max_length=32768, description="For people.")]
    last_transition_time: Annotated[
        str, Meta(extra_json_schema={"format": "date-time"}, description="When status changed.")
    ]
    observed_generation: Annotated[
        int, Meta(description="The metadata.generation that this was said of.")
    ]


class Measured(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What pods of one revision answered in a window."""

    pods: int
    requests: int
    errors: Annotated[int, Meta(description="Answered 5xx.")]
    error_ratio: float
    p99_milliseconds: Annotated[
        float | None,
        Meta(
            description="What 99 of 100 requests took at most; none without any, or where it lies"
            " beyond the last bucket."
        ),
    ] = None


class AnalysisStatus(Struct, frozen=True, rename="camel", omit_defaults=True):
    """The last window of a rollout, and what all of them came to."""

    verdict: Literal["Passed", "Failed", "Inconclusive"]
    message: str
    at: Annotated[str, Meta(extra_json_schema={"format": "date-time"}, description="Its end.")]
    window_seconds: Annotated[float, Meta(description="Its length.")]
    stage: Annotated[
        str | None, Meta(description="Where the rollout was: step N, promotion or bake.")
    ] = None
    passes: Annotated[int, Meta(description="Windows that passed in this stage.")] = 0
    failures: Annotated[int, Meta(description="Windows that failed in this rollout.")] = 0
    canary: Measured | None = None
    stable: Measured | None = None


class FailedRevision(Struct, frozen=True, rename="camel", omit_defaults=True):
    """A revision that is not tried again until the spec, or what it alone reads, changes."""

    revision: str
    reason: Annotated[str, Meta(description="As in the condition Degraded.")]
    message: str
    at: Annotated[str, Meta(extra_json_schema={"format": "date-time"}, description="When.")]
    content: Annotated[
        str | None,
        Meta(
            description="A hash of what it reads of Secrets and ConfigMaps and the stable"
            " revision does not: it is tried again when that changes."
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
    """Where the rollout is: what another operator needs to go on with it."""

    phase: Annotated[
        Phase,
        Meta(
            description="Stable: one revision serves. Progressing: pods are replaced one by one."
            " Canary, Paused: a new revision is beside the stable one. Promoting: it replaces it."
            " Baking: it has replaced it, and is still judged. RolledBack: it failed, the stable"
            " one serves. Halted: it failed, and rollback is Manual."
        ),
    ]
    revision: Annotated[str | None, Meta(description="Of the pods that the spec asks for.")] = None
    stable: Annotated[str | None, Meta(description="The revision to go back to.")] = None
    canary: Annotated[str | None, Meta(description="The revision of the canary pods.")] = None
    step: Annotated[int | None, Meta(description="Of the canary, from 1.")] = None
    steps: Annotated[int | None, Meta(description="How many there are.")] = None
    weight: Annotated[
        int | None, Meta(description="Share of requests that canary pods get, in percent.")
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
            description="When all pods of the step served, or of the whole rollout: its duration,"
            " or bake, counts from here.",
        ),
    ] = None
    stable_pods: Annotated[
        int | None,
        Meta(
            description="Stable pods when the canary began: an autoscaler leaves as many, so that"
            " going back costs no capacity."
        ),
    ] = None
    analysis: AnalysisStatus | None = None
    failed: FailedRevision | None = None
    message: Annotated[str | None, Meta(description="For people.")] = None


class RetainedClaim(Struct, frozen=True, rename="camel"):
    """The claim that an embedded database left behind, with its orders; a person deletes it."""

    name: str
    delete_with: Annotated[str, Meta(description="The command that deletes it for good.")]


class Autoscaled(Struct, frozen=True, rename="camel", omit_defaults=True):
    """What an autoscaler leaves behind when `autoscaling` is removed."""

    replicas: Annotated[int, Meta(description="spec.replicas under autoscaling.")]
    pods: Annotated[
        int | None,
        Meta(
            description="Pods when autoscaling was removed: they stay until spec.replicas differs"
            " from what it was; none while there is autoscaling."
        ),
    ] = None


class OrderServiceStatus(Struct, frozen=True, rename="camel"):
    """What is."""

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
            description="The metadata.generation that this status is of, also where `paused` has"
            " it left alone; -1 before the operator has looked."
        ),
    ] = None
    replicas: Annotated[int | None, Meta(description="Pods, old and new.")] = None
    ready_replicas: Annotated[int | None, Meta(description="Pods that serve.")] = None
    stable_replicas: Annotated[
        int | None,
        Meta(
            description="Pods but those of a canary, for the scale subresource: those that"
            " `selector` selects, and spec.replicas counts."
        ),
    ] = None
    selector: Annotated[
        str | None, Meta(description="Of the pods, for the scale subresource.")
    ] = None
    version: Annotated[str | None, Meta(description="The service's release.")] = None
    image: Annotated[str | None, Meta(description="The image that runs, with its digest.")] = None
    schema_version: Annotated[int | None, Meta(description="The last migration.")] = None
    url: Annotated[str | None, Meta(description="Where callers find the API.")] = None
    secrets_hash: Annotated[
        str | None, Meta(description="Of the Secrets and ConfigMaps that the pods use.")
    ] = None
    rollout: RolloutStatus | None = None
    retained_claim: RetainedClaim | None = None
    autoscaled: Autoscaled | None = None
