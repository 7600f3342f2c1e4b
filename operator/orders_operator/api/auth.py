"""`spec.auth`: who may call the API, and what for. Without it everybody may who reaches its port.

Tokens are JWTs (RFC 7519) of issuers that are trusted; a subject is an issuer and its `sub`.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from orders_operator.api.fields import Key, Name, has_host

AUDIENCE = "orders"
"""Of the tokens of ServiceAccounts: a pod's projected token names it."""

_SET: dict[str, Any] = {"x-kubernetes-list-type": "set"}

Scope = Literal["orders:read", "orders:write", "metrics:read"]
Scopes = Annotated[
    tuple[Scope, ...],
    Meta(
        min_length=1,
        max_length=8,
        description="What it may: read orders, place orders, read metrics.",
        extra_json_schema=_SET,
    ),
]

Namespace = Annotated[str, Meta(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", max_length=63)]
WHERE = r"(https://[^\s/?#@]+|http://[^\s/?#@:]+[.]svc(:[0-9]{1,5})?)"
"""Whom nobody in between can stand for: https, or http to a name that only a cluster's DNS has."""
Url = Annotated[str, Meta(pattern=rf"^{WHERE}([/?][^\s#]*)?$", max_length=1024)]
Word = Annotated[str, Meta(pattern=r"^[!-~]+$", max_length=255)]
"""Visible ASCII without a space."""


def _by(*keys: str) -> dict[str, Any]:
    """Return that the items of a list are told apart by some of their fields."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


class Subject(Struct, frozen=True, rename="camel"):
    """A subject of an issuer, and what it may where its token says nothing of scopes."""

    subject: Annotated[Word, Meta(description="The `sub` of its tokens.")]
    scopes: Scopes


class JwtIssuer(Struct, frozen=True, rename="camel"):
    """An issuer whose tokens are taken."""

    issuer: Annotated[
        Word,
        Meta(
            description="The exact `iss` of its tokens. Without jwksURL it is an https URL, or an"
            " http one of a Service."
        ),
    ]
    audience: Annotated[Word, Meta(description="What the `aud` of its tokens must name.")]
    jwks_url: Annotated[
        Url | None,
        Meta(description="Where its keys are; left out: where its OpenID configuration says."),
    ] = field(default=None, name="jwksURL")
    scopes_claim: Annotated[
        Word | None,
        Meta(description="The claim that has the scopes; left out: scope, else scp."),
    ] = None
    subjects: Annotated[
        tuple[Subject, ...],
        Meta(
            max_length=256,
            description="Subjects whose tokens have no scopes.",
            extra_json_schema=_by("subject"),
        ),
    ] = ()

    def __post_init__(self) -> None:
        """Refuse an address that no pattern can: its host and port. Pods would not take it."""
        name, address = (
            ("issuer", self.issuer) if self.jwks_url is None else ("jwksURL", self.jwks_url)
        )
        if not has_host(address):
            raise ValueError(
                f"{name} is {address!r}; it needs a host, a port of 1 to 65535"
                " if any, and no invisible characters"
            )


class ApiKeysSecret(Struct, frozen=True, rename="camel"):
    """A Secret that holds hashes of API keys."""

    name: Annotated[Name, Meta(description="Of a Secret in the same namespace.")]
    key: Annotated[
        Key,
        Meta(description="Whose value has a line for each API key: `orders keys new` prints it."),
    ] = "keys"


class ServiceAccount(Struct, frozen=True, rename="camel"):
    """A ServiceAccount of this cluster, whose pods need no secret to call."""

    namespace: Annotated[Namespace, Meta(description="Where it is.")]
    name: Annotated[Name, Meta(description="What it is called.")]
    scopes: Scopes


class Auth(Struct, frozen=True, rename="camel"):
    """Who may call; every other request is refused."""

    jwt: Annotated[
        tuple[JwtIssuer, ...],
        Meta(
            max_length=16,
            description="Issuers whose tokens are taken, for all pods at once: a change rolls"
            " nothing.",
            extra_json_schema=_by("issuer"),
        ),
    ] = ()
    api_keys_secret_ref: ApiKeysSecret | None = None
    service_accounts: Annotated[
        tuple[ServiceAccount, ...],
        Meta(
            max_length=256,
            description="ServiceAccounts of this cluster that may call, by a projected token with"
            f" the audience {AUDIENCE}. A change rolls nothing.",
            extra_json_schema=_by("namespace", "name"),
        ),
    ] = ()

    @property
    def takes_tokens(self) -> bool:
        """Whether there are issuers."""
        return bool(self.jwt or self.service_accounts)
