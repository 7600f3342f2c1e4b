"""How many pods there are, and how few there may be for a while."""

from typing import Annotated

from msgspec import Meta, Struct

from orders_operator.api.fields import Enabled, IntOrString, Raw

Percent = Annotated[int, Meta(ge=1, le=1000)]
Replicas = Annotated[int, Meta(ge=1, le=1000)]


class Autoscaling(Struct, frozen=True, rename="camel"):
    """A HorizontalPodAutoscaler; `replicas` is then its business."""

    max: Annotated[Replicas, Meta(description="The most pods.")]
    min: Annotated[Replicas, Meta(description="The fewest pods.")] = 2
    cpu: Annotated[
        Percent | None,
        Meta(description="Mean use to aim at, percent of requests; 75 if memory is unset."),
    ] = None
    memory: Annotated[
        Percent | None, Meta(description="Mean use to aim at, percent of what is requested.")
    ] = None
    behaviour: Annotated[
        Raw | None, Meta(description="`behavior` of a HorizontalPodAutoscaler, autoscaling/v2.")
    ] = None


class DisruptionBudget(Struct, frozen=True, rename="camel"):
    """A PodDisruptionBudget, when there is more than one replica; at most one bound."""

    enabled: Enabled = True
    min_available: Annotated[
        IntOrString | None, Meta(description="Pods, or a share of them, that must stay.")
    ] = None
    max_unavailable: Annotated[
        IntOrString | None, Meta(description="Pods that may go; 1 when neither is given.")
    ] = None


class TopologySpread(Struct, frozen=True, rename="camel"):
    """How pods spread over zones and nodes."""

    max_skew: Annotated[
        int, Meta(ge=1, le=100, description="Most pods that one place may have beyond another.")
    ] = 1
    when_unsatisfiable: Annotated[
        str,
        Meta(
            pattern="^(ScheduleAnyway|DoNotSchedule)$",
            max_length=14,
            description="What happens to a pod that would break it.",
        ),
    ] = "ScheduleAnyway"
    topology_keys: Annotated[
        tuple[str, ...], Meta(max_length=8, description="Labels of nodes; none: no spreading.")
    ] = ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
