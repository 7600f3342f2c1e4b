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
"""Longest name of an OrderService: that of a Service, and of a label's value."""


class Migrations(Struct, frozen=True, rename="camel"):
    """`orders migrate` before the service, in an init container of each pod."""

    enabled: Annotated[bool, Meta(description="Whether pods migrate before they serve.")] = True
    timeout: Annotated[
        Duration, Meta(description="How long it waits for the database and for locks.")
    ] = "60s"


class Shutdown(Struct, frozen=True, rename="camel"):
    """How a pod leaves: its address goes first, then callers are told, then it finishes."""

    delay: Annotated[
        Duration,
        Meta(
            description="How long it serves as if nothing were, while others learn that it goes;"
            " and how long it then closes connections answer by answer."
        ),
    ] = "5s"
    grace_period: Annotated[
        Duration, Meta(description="How long requests in flight may then take.")
    ] = "30s"


class LocalReference(Struct, frozen=True, rename="camel"):
    """An object in the same namespace."""

    name: Annotated[Name, Meta(description="Of the object.")]


class InheritedMetadata(Struct, frozen=True, rename="camel"):
    """What every child and every pod has in its metadata, the embedded database's too."""

    labels: Annotated[
        Labels, Meta(description="Beside the operator's own, and those of podTemplate, which win.")
    ] = {}
    annotations: Annotated[
        Annotations,
        Meta(description="Beside the operator's own, and those of podTemplate, which win."),
    ] = {}


class PodTemplate(Struct, frozen=True, rename="camel"):
    """What is added to the pods, to that of the embedded database too."""

    labels: Annotated[Labels, Meta(description="Beside the operator's own, which win.")] = {}
    annotations: Annotated[
        Annotations, Meta(description="Beside the operator's own, which win.")
    ] = {}
    node_selector: Annotated[
        dict[str, str],
        Meta(
            description="Labels that a node must have. The embedded database's pod has those that"
            " were declared when its claim was made: its volume may be bound to a node."
        ),
    ] = {}
    tolerations: Annotated[
        tuple[Raw, ...], Meta(max_length=64, description="Taints of nodes that are borne.")
    ] = ()
    affinity: Annotated[
        Raw | None,
        Meta(
            description="To nodes and other pods, core/v1 Affinity. For the embedded database's"
            " pod, see nodeSelector."
        ),
    ] = None
    priority_class_name: Annotated[Name | None, Meta(description="A PriorityClass.")] = None
    image_pull_secrets: Annotated[
        tuple[LocalReference, ...],
        Meta(max_length=16, description="Secrets that open the registry of the image."),
    ] = ()
    env: Annotated[
        tuple[Raw, ...],
        Meta(
            max_length=64,
            description="EnvVars of the service, before the operator's own, which win. The"
            " embedded database has none of them.",
        ),
    ] = ()


class PodsSpec(Struct, frozen=True, rename="camel", kw_only=True):
    """The part of a spec that makes the pods what they are: what changes it makes a revision."""

    image: Annotated[
        Image,
        Meta(description="The service, by tag or digest. Nothing else decides which one runs."),
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
    """What is wanted."""

    database: Database
    replicas: Annotated[
        int, Meta(ge=0, le=1000, description="Pods; left to the autoscaler if there is one.")
    ] = 2
    autoscaling: Autoscaling | None = None
    rollout: Rollout = Rollout()
    monitoring: Monitoring = Monitoring()
    log_level: Annotated[LogLevel, Meta(description="Changes without a restart.")] = "INFO"
    disruption_budget: DisruptionBudget = DisruptionBudget()
    network_policy: NetworkPolicy = NetworkPolicy()
    expose: Expose = Expose()
    auth: Auth | None = None
    paused: Annotated[
        bool, Meta(description="Leave everything as it is, whatever is declared or drifts.")
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
    """Of the children of an embedded database; empty for the name that this release gives."""
