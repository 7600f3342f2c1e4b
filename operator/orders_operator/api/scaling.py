"""The autoscaler, the disruption budget, and the spread of pods over zones and nodes."""

from typing import Annotated

from msgspec import Meta, Struct

from orders_operator.api.fields import Enabled, IntOrString, Raw

Percent = Annotated[int, Meta(ge=1, le=1000)]
Replicas = Annotated[int, Meta(ge=1, le=1000)]


class Autoscaling(Struct, frozen=True, rename="camel"):
    """A HorizontalPodAutoscaler, which sets the number of pods instead of `replicas`."""

    max: Annotated[Replicas, Meta(description="The largest number of pods.")]
    min: Annotated[Replicas, Meta(description="The smallest number of pods.")] = 2
    cpu: Annotated[
        Percent | None,
        Meta(
            description=(
                "The mean utilization to aim at, in percent of the requested CPU. Defaults to 75"
                " if memory is not set."
            )
        ),
    ] = None
    memory: Annotated[
        Percent | None,
        Meta(description="The mean utilization to aim at, in percent of the requested memory."),
    ] = None
    behaviour: Annotated[
        Raw | None,
        Meta(description="The `behavior` of a HorizontalPodAutoscaler (autoscaling/v2)."),
    ] = None


class DisruptionBudget(Struct, frozen=True, rename="camel"):
    """A PodDisruptionBudget if there is more than one replica, with at most one limit."""

    enabled: Enabled = True
    min_available: Annotated[
        IntOrString | None, Meta(description="The number or share of pods that must stay.")
    ] = None
    max_unavailable: Annotated[
        IntOrString | None,
        Meta(
            description=(
                "The number or share of pods that may go. Defaults to 1 if minAvailable is not set"
                " either."
            )
        ),
    ] = None


class TopologySpread(Struct, frozen=True, rename="camel"):
    """How pods spread over zones and nodes."""

    max_skew: Annotated[
        int,
        Meta(ge=1, le=100, description="By how many pods one zone or node may exceed another."),
    ] = 1
    when_unsatisfiable: Annotated[
        str,
        Meta(
            pattern="^(ScheduleAnyway|DoNotSchedule)$",
            max_length=14,
            description="What happens to a pod that would exceed maxSkew.",
        ),
    ] = "ScheduleAnyway"
    topology_keys: Annotated[
        tuple[str, ...],
        Meta(
            max_length=8,
            description=(
                "Labels of nodes over whose values pods spread. An empty list turns spreading off."
            ),
        ),
    ] = ("topology.kubernetes.io/zone", "kubernetes.io/hostname")
