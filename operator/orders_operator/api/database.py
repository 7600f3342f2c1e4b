"""`spec.database`: where the orders are kept, one of three ways."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from orders_operator.api.fields import Image, Key, Name, Quantity, Size


class Resources(Struct, frozen=True, rename="camel"):
    """What a container is given at least, and at most."""

    requests: Annotated[
        dict[str, Quantity], Meta(description="What its node must have left for it.")
    ] = {}
    limits: Annotated[dict[str, Quantity], Meta(description="What it may use at most.")] = {}


class UrlSecret(Struct, frozen=True, rename="camel"):
    """A Secret that holds the database's URL."""

    name: Annotated[Name, Meta(description="Of a Secret in the same namespace.")]
    key: Annotated[
        Key, Meta(description="Whose value is postgresql://user:password@host/name.")
    ] = "url"


class Storage(Struct, frozen=True, rename="camel"):
    """The volume of the embedded PostgreSQL."""

    size: Annotated[Size, Meta(description="How much is asked for, more than none.")] = "1Gi"
    class_name: Annotated[
        Name | None, Meta(description="Its StorageClass; the cluster's default when left out.")
    ] = None


class Embedded(Struct, frozen=True, rename="camel"):
    """One PostgreSQL pod for trying out: no replica, no backup."""

    storage: Storage = Storage()
    retention: Annotated[
        Literal["Retain", "Delete"],
        Meta(
            description="What becomes of the claim, and of the orders in it, when the OrderService"
            " is deleted or leaves the embedded database. Retain: a person deletes it."
        ),
    ] = "Retain"
    volume_permissions: Annotated[
        bool,
        Meta(
            description="Give the volume to PostgreSQL first, in an init container that is root"
            " with the capability CHOWN alone: needed where storage ignores fsGroup and lets"
            " nobody but root write. Refused where the restricted Pod Security Standard is"
            " enforced."
        ),
    ] = False
    image: Annotated[Image, Meta(description="The official image, or one that behaves as it.")] = (
        "postgres:17"
    )
    resources: Resources = Resources(
        requests={"cpu": "100m", "memory": "128Mi", "ephemeral-storage": "64Mi"},
        limits={"memory": "512Mi", "ephemeral-storage": "256Mi"},
    )


class Database(Struct, frozen=True, rename="camel"):
    """Where orders are kept: exactly one of secretRef, cluster and embedded."""

    secret_ref: UrlSecret | None = None
    cluster: Annotated[
        Name | None,
        Meta(description="A CloudNativePG cluster; its Secret <cluster>-app has the URL."),
    ] = None
    embedded: Embedded | None = None
