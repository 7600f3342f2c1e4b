"""How callers connect to the API: over TLS, and from web pages of other origins."""

from typing import Annotated

from msgspec import Meta, Struct

from orders_operator.api.fields import Duration, Name

_SET = {"x-kubernetes-list-type": "set"}

Origin = Annotated[
    str,
    Meta(
        pattern=r"^(\*|[a-z][-a-z0-9+.]*://([-a-z0-9._]+|\[[0-9a-f:.]+\])(:[0-9]{1,5})?)$",
        max_length=253,
    ),
]
"""An origin as browsers send it, in lower case: https://shop.example.com; or *."""

Header = Annotated[
    str, Meta(pattern=r"^[-!#$%&'*+.^_`|~0-9A-Za-z]+$", min_length=1, max_length=128)
]
"""The name of a header, or *."""


class TlsSecret(Struct, frozen=True, rename="camel"):
    """A Secret as cert-manager or `kubectl create secret tls` creates it."""

    name: Annotated[
        Name,
        Meta(
            description=(
                "The name of a Secret in the same namespace with tls.crt and tls.key. Running"
                " pods pick up new content."
            )
        ),
    ]


class Tls(Struct, frozen=True, rename="camel"):
    """The API over TLS, on port 443 of the Service; probes and metrics stay plain HTTP."""

    secret_ref: TlsSecret


class Cors(Struct, frozen=True, rename="camel"):
    """Which web pages of other origins may use the API."""

    allow_origins: Annotated[
        tuple[Origin, ...],
        Meta(
            min_length=1,
            max_length=64,
            description=(
                "Origins that are allowed, such as https://shop.example.com, or * alone for"
                " every origin."
            ),
            extra_json_schema=_SET,
        ),
    ]
    allow_credentials: Annotated[
        bool,
        Meta(
            description=(
                "Whether browsers may send cookies and client certificates. An Authorization"
                " header that the page itself sets does not need this."
            )
        ),
    ] = False
    allow_headers: Annotated[
        tuple[Header, ...],
        Meta(
            max_length=64,
            description=(
                "Request headers that a page may send in addition to those that every page may,"
                " or * alone. An empty list allows those that the API reads."
            ),
            extra_json_schema=_SET,
        ),
    ] = ()
    expose_headers: Annotated[
        tuple[Header, ...],
        Meta(
            max_length=64,
            description=(
                "Response headers that a page may read, or * alone. An empty list allows those"
                " that the API sends."
            ),
            extra_json_schema=_SET,
        ),
    ] = ()
    max_age: Annotated[
        Duration | None,
        Meta(description="How long a browser may cache a preflight answer: at most 24h."),
    ] = None
