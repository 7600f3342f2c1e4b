"""`spec.database`: where the orders are kept, in one of three ways."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

from orders_operator.api.fields import Image, Key, Name, Quantity, Size


class Resources(Struct, frozen=True, rename="camel"):
    """Resource requests and limits of a container."""

    requests: Annotated[
        dict[str, Quantity], Meta(description="The resources that a node must have free for it.")
    ] = {}
    limits: Annotated[dict[str, Quantity], Meta(description="The most that it may use.")] = {}


class UrlSecret(Struct, frozen=True, rename="camel"):
    """A Secret that holds the database's URL."""

    name: Annotated[Name, Meta(description="The name of a Secret in the same namespace.")]
    key: Annotated[
        Key,
        Meta(
            description="The key of the Secret. Its value is postgresql://user:password@host/name."
        ),
    ] = "url"


class Storage(Struct, frozen=True, rename="camel"):
    """The volume of the embedded PostgreSQL."""

    size: Annotated[Size, Meta(description="The size of the volume, more than zero.")] = "1Gi"
    class_name: Annotated[
        Name | None, Meta(description="The StorageClass. Defaults to the cluster's default.")
    ] = None


class Embedded(Struct, frozen=True, rename="camel"):
    """One PostgreSQL pod for trials, without replicas or backups."""

    storage: Storage = Storage()
    retention: Annotated[
        Literal["Retain", "Delete"],
        Meta(
            description=(
                "What happens to the claim and the orders in it when the OrderService is"
                " deleted or no longer declares an embedded database. Retain keeps the claim"
                " until a person deletes it."
            )
        ),
    ] = "Retain"
    volume_permissions: Annotated[
        bool,
        Meta(
            description=(
                "Give the volume to PostgreSQL first, in an init container that runs as root"
                " with the capability CHOWN alone. This is needed where the storage ignores"
                " fsGroup and only root may write. Namespaces that enforce the restricted Pod"
                " Security Standard refuse it."
            )
        ),
    ] = False
    image: Annotated[
        Image, Meta(description="The official PostgreSQL image, or a compatible one.")
    ] = "postgres:17"
    resources: Resources = Resources(
        requests={"cpu": "100m", "memory": "128Mi", "ephemeral-storage": "64Mi"},
        limits={"memory": "512Mi", "ephemeral-storage": "256Mi"},
    )


class Database(Struct, frozen=True, rename="camel"):
    """The database of the orders: exactly one of secretRef, cluster and embedded."""

    secret_ref: UrlSecret | None = None
    cluster: Annotated[
        Name | None,
        Meta(
            description=(
                "The name of a CloudNativePG cluster. Its Secret <cluster>-app contains the URL."
            )
        ),
    ] = None
    embedded: Embedded | None = None
