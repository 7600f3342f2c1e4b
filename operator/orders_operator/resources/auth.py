"""The issuers whose tokens are accepted, as files that pods read again while they run. Pure.

They are in a ConfigMap that all pods of both tracks mount directly, so that all of them refuse an
issuer that the spec drops, without a rollout. Nothing in it is secret: the keys are public.
"""

from collections.abc import Mapping
from typing import Final

import msgspec
from msgspec import Struct, json

from orders_operator.api.auth import AUDIENCE, Auth, JwtIssuer, ServiceAccount
from orders_operator.api.spec import OrderService
from orders_operator.objects import Object
from orders_operator.resources.labels import child
from orders_operator.resources.network import port_of

AUTH_SUFFIX: Final = "-auth"
AUTH_FOLDER: Final = "/etc/orders/auth"
"""The folder at which pods mount the ConfigMap."""
ISSUERS: Final = "issuers.json"
CLUSTER_KEYS: Final = "cluster-jwks.json"
_KEYS_FILE: Final = "jwksFile"


class ClusterKeys(Struct, frozen=True):
    """The issuer of this cluster's ServiceAccount tokens, and its keys (RFC 7517) as JSON."""

    issuer: str
    jwks: str


class _Kept(Struct, frozen=True):
    """The needed fields of an issuer in the ConfigMap."""

    issuer: str
    jwks_url: str = msgspec.field(default="", name="jwksURL")
    jwks_file: str = msgspec.field(default="", name=_KEYS_FILE)


def auth_files(auth: Auth, cluster: ClusterKeys | None) -> dict[str, str]:
    """Return the files by name; without any issuer they have every token refused.

    Args:
        auth: the declared `spec.auth`.
        cluster: the cluster's keys; required if `auth` names ServiceAccounts.

    """
    issuers = [_issuer(issuer) for issuer in auth.jwt]
    files = {}
    if auth.service_accounts and cluster is not None:
        issuers.append(
            {
                "issuer": cluster.issuer,
                "audience": AUDIENCE,
                _KEYS_FILE: f"{AUTH_FOLDER}/{CLUSTER_KEYS}",
                "subjects": {
                    _name(account): list(account.scopes) for account in auth.service_accounts
                },
            }
        )
        files[CLUSTER_KEYS] = cluster.jwks
    text = json.format(json.encode(issuers), indent=2).decode()
    return {ISSUERS: text, **files}


def auth_config(service: OrderService, files: Mapping[str, str]) -> Object:
    """Return the ConfigMap with these files."""
    return child(service, "v1", "ConfigMap", suffix=AUTH_SUFFIX, data=dict(files))


def kept_keys(files: Mapping[str, str]) -> ClusterKeys | None:
    """Return the cluster's keys in a ConfigMap; None if it has none."""
    issuer = next((kept.issuer for kept in _kept(files) if kept.jwks_file), None)
    jwks = files.get(CLUSTER_KEYS)
    return None if issuer is None or jwks is None else ClusterKeys(issuer, jwks)


def issuer_ports(files: Mapping[str, str]) -> frozenset[int]:
    """Return the ports at which pods ask issuers for their keys.

    An issuer's OpenID configuration is expected to name a URL at the issuer's own port.
    """
    asked = [kept.jwks_url or kept.issuer for kept in _kept(files) if not kept.jwks_file]
    return frozenset(port for port in map(port_of, asked) if port is not None)


def _issuer(declared: JwtIssuer) -> Object:
    found: Object = {
        "issuer": declared.issuer,
        "audience": declared.audience,
        "jwksURL": declared.jwks_url,
        "scopesClaim": declared.scopes_claim,
        "subjects": {subject.subject: list(subject.scopes) for subject in declared.subjects},
    }
    return {name: value for name, value in found.items() if value}


def _name(account: ServiceAccount) -> str:
    return f"system:serviceaccount:{account.namespace}:{account.name}"


def _kept(files: Mapping[str, str]) -> list[_Kept]:
    try:
        return json.decode(files.get(ISSUERS, "[]"), type=list[_Kept])
    except msgspec.DecodeError:  # somebody has changed it; an apply restores it
        return []
