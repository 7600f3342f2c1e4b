"""The declaration of the pods, which identifies a revision, however a release renders it.

So another release of the operator, older or newer, rolls no pods: it finds the declaration that is
kept, reads it with its own types, and uses the template that is kept with it.
"""

import hashlib
from datetime import UTC, datetime
from typing import Any, Final

import msgspec
from msgspec import NODEFAULT, Struct, json
from msgspec.structs import fields, replace

from orders_operator.api.auth import ApiKeysSecret
from orders_operator.api.database import UrlSecret
from orders_operator.api.rollout import RESTART
from orders_operator.api.spec import Migrations, OrderService, PodsSpec
from orders_operator.resources.pod import database_key

_HASH_LENGTH: Final = 10


class Declaration(PodsSpec, frozen=True, rename="camel", kw_only=True):
    """The part of a spec that makes pods.

    Args:
        database: the Secret that pods read, whichever field of the spec names it.
        restart: the value of the annotation `orders.dev/restart`; empty without one.
        takes_tokens: whether there are issuers; which ones is left out, because pods read that
            again while they run.
        api_keys: the Secret with hashes of API keys.
        metrics_auth: whether metrics require a credential.

    """

    database: UrlSecret
    restart: str = ""
    takes_tokens: bool = False
    api_keys: ApiKeysSecret | None = None
    metrics_auth: bool = False


def declaration(service: OrderService, annotations: dict[str, str] | None = None) -> Declaration:
    """Return what a resource declares of its pods, without what has no effect on them."""
    spec = service.spec
    declared = {name: getattr(spec, name) for name in PodsSpec.__struct_fields__}
    if spec.tracing is not None and not spec.tracing.enabled:
        declared["tracing"] = None
    if not spec.migrations.enabled:
        declared["migrations"] = Migrations(enabled=False)
    secret, key = database_key(service)
    restart = (annotations or {}).get(RESTART) or ""
    declared["metrics_auth"] = spec.monitoring.auth
    if spec.auth is not None:
        declared["takes_tokens"] = spec.auth.takes_tokens
        declared["api_keys"] = spec.auth.api_keys_secret_ref
    return Declaration(database=UrlSecret(secret, key), restart=restart, **declared)


def same(kept: Any, declared: Declaration) -> bool:
    """Whether a kept declaration equals the declared one, with no new request to restart.

    A restart annotation that is older, or gone, asks for nothing: a tool may have restored what it
    knew.
    """
    try:
        earlier = msgspec.convert(kept, Declaration)
    except msgspec.ValidationError:
        return False
    later = _at(declared.restart) > _at(earlier.restart)
    return not later and declared == replace(earlier, restart=declared.restart)


def _at(restart: str) -> tuple[datetime, str]:
    """Return the sort key of a restart; text that is not a time comes before all times."""
    try:
        found = datetime.fromisoformat(restart)
    except ValueError:
        return datetime.min.replace(tzinfo=UTC), restart
    return (found if found.tzinfo else found.replace(tzinfo=UTC)), ""


def complete(declared: Struct) -> dict[str, Any]:
    """Return a declaration with every field, as it is kept: a default may change later."""
    found: dict[str, Any] = msgspec.to_builtins(declared)
    return found


def digest(content: Any) -> str:
    """Return the hash of a declaration; fields at their default do not change it."""
    encoded = json.encode(_essence(content), order="sorted")
    return hashlib.sha256(encoded).hexdigest()[:_HASH_LENGTH]


def _essence(value: Any) -> Any:
    """Drop fields at their default: an API server adds the defaults of a newer CRD on read."""
    if isinstance(value, Struct):
        return {
            field.encode_name: _essence(getattr(value, field.name))
            for field in fields(value)
            if field.required or getattr(value, field.name) != _default(field)
        }
    if isinstance(value, list | tuple):
        return [_essence(item) for item in value]
    return value


def _default(field: Any) -> Any:
    return field.default if field.default is not NODEFAULT else field.default_factory()
