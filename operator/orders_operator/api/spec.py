"""The OrderService resource as types: what a user may declare, and the defaults.

The CRD is made from these Structs, descriptions and bounds included (see `crd`), so what the API
server accepts is what `decode` accepts.
"""

from typing import Annotated

from msgspec import Meta, Struct

from orders_operator.api.auth import Auth
from orders_operator.api.database import Database, Resources
from orders_operator.api.fields import Annotations, Duration, Image, Labels, Name, Raw
from orders_operator.api.observing import LogLevel, Monitoring, Tracing
from orders_operator.api.rollout import Rollout
from orders_operator.api.scaling import Autoscaling, DisruptionBudget, TopologySpread
from orders_operator.api.traffic import Expose, NetworkPolicy
from orders_operator.api.transport import Cors, Tls

GROUP = "orders.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"
KIND = "OrderService"
PLURAL = "orderservices"
NAME_LENGTH = 63
"""The greatest length of an OrderService's name: that of a Service, and of a label's value."""


class Migrations(Struct, frozen=True, rename="camel"):
    """`orders migrate`, which runs in an init container of each pod before the service."""

    enabled: Annotated[
        bool, Meta(description="Whether pods migrate the database before they serve.")
    ] = True
    timeout: Annotated[
        Duration, Meta(description="How long a migration waits for the database and for locks.")
    ] = "60s"


class Shutdown(Struct, frozen=True, rename="camel"):
    """How a pod shuts down: its address is removed, callers are told, then it finishes."""

    delay: Annotated[
        Duration,
        Meta(
            description=(
                "How long a pod serves as before while others learn that it goes, and how long"
                " it then closes each connection after its next answer."
            )
        ),
    ] = "5s"
    grace_period: Annotated[
        Duration, Meta(description="How long requests in flight may take after that.")
    ] = "30s"


class LocalReference(Struct, frozen=True, rename="camel"):
    """An object in the same namespace."""

    name: Annotated[Name, Meta(description="The name of the object.")]


class InheritedMetadata(Struct, frozen=True, rename="camel"):
    """Metadata of every child and every pod, including those of the embedded database."""

    labels: Annotated[
        Labels,
        Meta(
            description=(
                "Added to the operator's own and those of podTemplate, which take precedence."
            )
        ),
    ] = {}
    annotations: Annotated[
        Annotations,
        Meta(
            description=(
                "Added to the operator's own and those of podTemplate, which take precedence."
            )
        ),
    ] = {}


class PodTemplate(Struct, frozen=True, rename="camel"):
    """Additions to the pods, including that of the embedded database."""

    labels: Annotated[
        Labels, Meta(description="Added to the operator's own, which take precedence.")
    ] = {}
    annotations: Annotated[
        Annotations, Meta(description="Added to the operator's own, which take precedence.")
    ] = {}
    node_selector: Annotated[
        dict[str, str],
        Meta(
            description=(
                "Labels that a node must have. The pod of the embedded database keeps those"
                " that were declared when its claim was created, as its volume may be bound to a"
                " node."
            )
        ),
    ] = {}
    tolerations: Annotated[
        tuple[Raw, ...], Meta(max_length=64, description="Taints of nodes that the pods tolerate.")
    ] = ()
    affinity: Annotated[
        Raw | None,
        Meta(
            description=(
                "Affinity to nodes and other pods (core/v1 Affinity). For the pod of the"
                " embedded database, see nodeSelector."
            )
        ),
    ] = None
    priority_class_name: Annotated[
        Name | None, Meta(description="The name of a PriorityClass.")
    ] = None
    image_pull_secrets: Annotated[
        tuple[LocalReference, ...],
        Meta(max_length=16, description="Secrets with credentials for the image's registry."),
    ] = ()
    env: Annotated[
        tuple[Raw, ...],
        Meta(
            max_length=64,
            description=(
                "Environment variables of the service (core/v1 EnvVar). The operator's own take"
                " precedence. The embedded database gets none of them."
            ),
        ),
    ] = ()


class PodsSpec(Struct, frozen=True, rename="camel", kw_only=True):
    """The part of a spec that makes the pods what they are: what changes it makes a revision."""

    image: Annotated[
        Image,
        Meta(
            description=(
                "The image of the service, by tag or digest. Nothing else determines which release"
                " runs."
            )
        ),
    ]
    migrations: Migrations = Migrations()
    resources: Resources = Resources(
        requests={"cpu": "250m", "memory": "64Mi", "ephemeral-storage": "16Mi"},
        limits={"memory": "128Mi", "ephemeral-storage": "64Mi"},
    )
    tracing: Tracing | None = None
    cors: Cors | None = None
    tls: Tls | None = None
    topology_spread: TopologySpread = TopologySpread()
    shutdown: Shutdown = Shutdown()
    pod_template: PodTemplate = PodTemplate()
    inherited_metadata: InheritedMetadata = InheritedMetadata()


class OrderServiceSpec(PodsSpec, frozen=True, rename="camel", kw_only=True):
    """The desired state."""

    database: Database
    replicas: Annotated[
        int, Meta(ge=0, le=1000, description="The number of pods. An autoscaler overrides it.")
    ] = 2
    autoscaling: Autoscaling | None = None
    rollout: Rollout = Rollout()
    monitoring: Monitoring = Monitoring()
    log_level: Annotated[
        LogLevel, Meta(description="The log level. A change needs no restart.")
    ] = "INFO"
    disruption_budget: DisruptionBudget = DisruptionBudget()
    network_policy: NetworkPolicy = NetworkPolicy()
    expose: Expose = Expose()
    auth: Auth | None = None
    paused: Annotated[
        bool,
        Meta(
            description=(
                "Whether the operator leaves everything as it is, whatever is declared or drifts."
            )
        ),
    ] = False


class Metadata(Struct, frozen=True, rename="camel"):
    """What is needed of the object's metadata."""

    name: str
    namespace: str
    uid: str
    generation: int


class OrderService(Struct, frozen=True):
    """One resource, as read from the API server."""

    metadata: Metadata
    spec: OrderServiceSpec
    database_name: str = ""
    """The name of an embedded database's children; empty for the name that this release gives."""
