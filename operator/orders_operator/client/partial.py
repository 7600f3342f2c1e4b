"""The metadata of objects, requested where nobody needs their content.

The API server leaves out everything else (PartialObjectMetadata). Of the metadata only the fields
here are decoded: annotations may repeat the whole object, as those of `kubectl apply` do.
"""

from typing import Final

from msgspec import UNSET, Struct, UnsetType, field

PARTIAL_LIST: Final = (
    "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1, application/json"
)
"""The `Accept` of a list; an API server that does not support it sends everything."""
PARTIAL: Final = "application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1, application/json"
"""The `Accept` of a watch."""


class OwnerReference(Struct, frozen=True, omit_defaults=True):
    """An owner of an object."""

    kind: str
    name: str
    controller: bool = False


class Labels(Struct, frozen=True, omit_defaults=True):
    """The label that says which OrderService an object belongs to."""

    instance: str | None = field(default=None, name="app.kubernetes.io/instance")


class Metadata(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The identity, version, labels and owners of an object."""

    name: str
    namespace: str = ""
    resource_version: str = ""
    generation: int = 0
    labels: Labels | None = None
    owner_references: tuple[OwnerReference, ...] | None = None


class Rollout(Struct, frozen=True):
    """The phase of a rollout."""

    phase: str = ""


class Status(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The operator's status of an OrderService; other kinds are requested without status."""

    observed_generation: int = 0
    rollout: Rollout | None = None


class Partial(Struct, frozen=True, omit_defaults=True):
    """An object without its content."""

    metadata: Metadata
    status: Status | UnsetType | None = UNSET


class ListMetadata(Struct, frozen=True, omit_defaults=True, rename="camel"):
    """The version of a page of a list, and where the next page begins."""

    resource_version: str = ""
    next_page: str = field(default="", name="continue")


class PartialList(Struct, frozen=True, omit_defaults=True):
    """One page of a list."""

    metadata: ListMetadata
    items: tuple[Partial, ...] | None = None
