"""Who may connect to the pods, where they may connect to, and how callers outside reach them."""

from typing import Annotated

from msgspec import Meta, Struct, field

from orders_operator.api.fields import Annotations, Enabled, Name, Raw

Host = Annotated[str, Meta(pattern=r"^(\*\.)?[a-z0-9]([-a-z0-9.]*[a-z0-9])?$", max_length=253)]
Path = Annotated[str, Meta(pattern=r"^/[^\s]*$", max_length=1024)]


class NetworkPolicy(Struct, frozen=True, rename="camel"):
    """A NetworkPolicy of the pods; the network plugin of the cluster must enforce it."""

    enabled: Enabled = True
    from_: Annotated[
        tuple[Raw, ...],
        Meta(
            max_length=32,
            description="Peers that may call (NetworkPolicyPeer). An empty list allows everybody.",
        ),
    ] = field(default=(), name="from")
    to: Annotated[
        tuple[Raw, ...],
        Meta(
            max_length=32,
            description=(
                "Egress rules (NetworkPolicyEgressRule) in addition to those for DNS, the"
                " database and the collector."
            ),
        ),
    ] = ()


class Ingress(Struct, frozen=True, rename="camel"):
    """An Ingress."""

    host: Annotated[Host, Meta(description="The host name of the API for callers.")]
    path: Annotated[Path, Meta(description="The path prefix of the API.")] = "/"
    class_name: Annotated[
        Name | None, Meta(description="The IngressClass. Defaults to the cluster's default.")
    ] = None
    annotations: Annotated[Annotations, Meta(description="Annotations for its controller.")] = {}
    tls_secret_name: Annotated[
        Name | None,
        Meta(
            description=(
                "The Secret with the certificate for https. Without it, the Ingress serves http."
            )
        ),
    ] = None


class HTTPRoute(Struct, frozen=True, rename="camel"):
    """An HTTPRoute of the Gateway API."""

    parent_refs: Annotated[
        tuple[Raw, ...],
        Meta(min_length=1, max_length=32, description="The Gateways that the route attaches to."),
    ]
    hostnames: Annotated[
        tuple[Host, ...],
        Meta(
            max_length=16,
            description="The host names of the route. An empty list takes those of the Gateways.",
        ),
    ] = ()
    path: Annotated[Path, Meta(description="The path prefix of the API.")] = "/"
    annotations: Annotated[Annotations, Meta(description="Annotations for its controller.")] = {}


class Expose(Struct, frozen=True, rename="camel"):
    """How the world reaches the API: at most one of both."""

    ingress: Ingress | None = None
    http_route: HTTPRoute | None = None
