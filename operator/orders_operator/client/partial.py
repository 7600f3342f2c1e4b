"""What is asked for of objects whose content is nobody's business: their metadata.

The API server leaves everything else out (PartialObjectMetadata), and of the metadata only what
is named here is decoded: annotations may repeat the whole object, as those of `kubectl apply` do.
"""

from typing import Final

from msgspec import UNSET, Struct, UnsetType, field

PARTIAL_LIST: Final = (
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json"
)
"""The `Accept` of a list; an API server that cannot do that sends everything."""
PARTIAL: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json"
"""The `Accept` of a watch."""


class OwnerReference(Struct, frozen=True, omit_defaults=True):
    """Whose an object is."""

    kind: str
    name: str
    controller: bool = False


class Labels(Struct, frozen=True, omit_defaults=True):
    """The label that says which OrderService an object belongs to."""

    instance: str | None = field(default=None, name="app.kubernetes.io/instance")


class Metadata(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Which object it is, in which version, and whose."""

    name: str
    namespace: str = ""
    resource_version: str = ""
    generation: int = 0
    labels: Labels | None = None
    owner_references: tuple[OwnerReference, ...] | None = None


class Rollout(Struct, frozen=True):
    """Where a rollout is."""

    phase: str = ""


class Status(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """What the operator has said of an OrderService; other kinds are asked for without it."""

    observed_generation: int = 0
    rollout: Rollout | None = None


class Partial(Struct, frozen=True, omit_defaults=True):
    """An object without its content."""

    metadata: Metadata
    status: Status | UnsetType | None = UNSET


class ListMetadata(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """Of which state a page of a list is, and where the next one begins."""

    resource_version: str = ""
    next_page: str = field(default="", name="continue")


class PartialList(Struct, frozen=True, omit_defaults=True):
    """One page of a list."""

    metadata: ListMetadata
    items: tuple[Partial, ...] | None = None
