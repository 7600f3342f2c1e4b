"""Who reaches the pods, where they may go, and how the world finds them."""

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
        Meta(max_length=32, description="NetworkPolicyPeers that may call; none: everybody may."),
    ] = field(default=(), name="from")
    to: Annotated[
        tuple[Raw, ...],
        Meta(
            max_length=32,
            description="NetworkPolicyEgressRules beside those to DNS, database and collector.",
        ),
    ] = ()


class Ingress(Struct, frozen=True, rename="camel"):
    """An Ingress."""

    host: Annotated[Host, Meta(description="Under which callers know the API.")]
    path: Annotated[Path, Meta(description="Under which the API is found, a prefix.")] = "/"
    class_name: Annotated[
        Name | None, Meta(description="Its IngressClass; the cluster's default when left out.")
    ] = None
    annotations: Annotated[Annotations, Meta(description="For its controller.")] = {}
    tls_secret_name: Annotated[
        Name | None, Meta(description="With it, https with this certificate.")
    ] = None


class HTTPRoute(Struct, frozen=True, rename="camel"):
    """An HTTPRoute of the Gateway API."""

    parent_refs: Annotated[
        tuple[Raw, ...], Meta(min_length=1, max_length=32, description="The Gateways.")
    ]
    hostnames: Annotated[
        tuple[Host, ...],
        Meta(max_length=16, description="Those of the Gateways if there are none."),
    ] = ()
    path: Annotated[Path, Meta(description="Under which the API is found, a prefix.")] = "/"
    annotations: Annotated[Annotations, Meta(description="For its controller.")] = {}


class Expose(Struct, frozen=True, rename="camel"):
    """How the world reaches the API: at most one of both."""

    ingress: Ingress | None = None
    http_route: HTTPRoute | None = None
