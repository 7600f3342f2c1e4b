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
        int | None, Meta(description="The metadata.generation that was reconciled last.")
    ] = None
    replicas: Annotated[int | None, Meta(description="Pods, old and new.")] = None
    ready_replicas: Annotated[int | None, Meta(description="Pods that serve.")] = None
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
