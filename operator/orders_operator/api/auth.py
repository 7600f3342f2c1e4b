"""`spec.auth`: who may call the API, and for what. Without it, anybody who reaches its port may.

Tokens are JWTs (RFC 7519) of trusted issuers; a subject is an issuer and its `sub`.
"""

from typing import Annotated, Any, Literal

from msgspec import Meta, Struct, field

from orders_operator.api.fields import Key, Name, has_host

AUDIENCE = "orders"
"""The audience of ServiceAccounts' tokens, which a pod's projected token names."""

_SET: dict[str, Any] = {"x-kubernetes-list-type": "set"}

Scope = Literal["orders:read", "orders:write", "metrics:read"]
Scopes = Annotated[
    tuple[Scope, ...],
    Meta(
        min_length=1,
        max_length=8,
        description="Scopes that it gets: to read orders, to create orders, to read metrics.",
        extra_json_schema=_SET,
    ),
]

Namespace = Annotated[str, Meta(pattern=r"^[a-z0-9]([-a-z0-9]{0,61}[a-z0-9])?$", max_length=63)]
WHERE = r"(https://[^\s/?#@]+|http://[^\s/?#@:]+[.]svc(:[0-9]{1,5})?)"
"""An address that nobody in between can forge: https, or http to a name that only a cluster's DNS
resolves."""
Url = Annotated[str, Meta(pattern=rf"^{WHERE}([/?][^\s#]*)?$", max_length=1024)]
Word = Annotated[str, Meta(pattern=r"^[!-~]+$", max_length=255)]
"""Visible ASCII without a space."""


def _by(*keys: str) -> dict[str, Any]:
    """Return the keywords for a list whose items some of their fields identify."""
    return {"x-kubernetes-list-type": "map", "x-kubernetes-list-map-keys": list(keys)}


class Subject(Struct, frozen=True, rename="camel"):
    """A subject of an issuer, and its scopes if its token contains none."""

    subject: Annotated[Word, Meta(description="The `sub` claim of its tokens.")]
    scopes: Scopes


class JwtIssuer(Struct, frozen=True, rename="camel"):
    """An issuer whose tokens are accepted."""

    issuer: Annotated[
        Word,
        Meta(
            description=(
                "The exact `iss` claim of its tokens. Without jwksURL, this must be an https"
                " URL or the http URL of a Service."
            )
        ),
    ]
    audience: Annotated[
        Word, Meta(description="The audience that the `aud` claim of its tokens must contain.")
    ]
    jwks_url: Annotated[
        Url | None,
        Meta(description="The URL of its keys. Defaults to the one in its OpenID configuration."),
    ] = field(default=None, name="jwksURL")
    scopes_claim: Annotated[
        Word | None,
        Meta(
            description=(
                "The claim that contains the scopes. Defaults to scope, or scp if a token has no"
                " scope."
            )
        ),
    ] = None
    subjects: Annotated[
        tuple[Subject, ...],
        Meta(
            max_length=256,
            description="Scopes of the subjects whose tokens contain none.",
            extra_json_schema=_by("subject"),
        ),
    ] = ()

    def __post_init__(self) -> None:
        """Refuse a host and port that no pattern can check, because pods would not accept them."""
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

    name: Annotated[Name, Meta(description="The name of a Secret in the same namespace.")]
    key: Annotated[
        Key,
        Meta(
            description=(
                "The key of the Secret. Its value has one line per API key, which `orders keys"
                " new` prints."
            )
        ),
    ] = "keys"


class ServiceAccount(Struct, frozen=True, rename="camel"):
    """A ServiceAccount of this cluster, whose pods call without a secret."""

    namespace: Annotated[Namespace, Meta(description="The namespace of the ServiceAccount.")]
    name: Annotated[Name, Meta(description="The name of the ServiceAccount.")]
    scopes: Scopes


class Auth(Struct, frozen=True, rename="camel"):
    """Who may call the API; every other request is refused."""

    jwt: Annotated[
        tuple[JwtIssuer, ...],
        Meta(
            max_length=16,
            description=(
                "Issuers whose tokens are accepted. A change applies to all pods at once and"
                " rolls none of them."
            ),
            extra_json_schema=_by("issuer"),
        ),
    ] = ()
    api_keys_secret_ref: ApiKeysSecret | None = None
    service_accounts: Annotated[
        tuple[ServiceAccount, ...],
        Meta(
            max_length=256,
            description=(
                "ServiceAccounts of this cluster that may call the API with a projected token"
                f" for the audience {AUDIENCE}. A change rolls no pods."
            ),
            extra_json_schema=_by("namespace", "name"),
        ),
    ] = ()

    @property
    def takes_tokens(self) -> bool:
        """Whether tokens are accepted: whether any issuer is declared."""
        return bool(self.jwt or self.service_accounts)
