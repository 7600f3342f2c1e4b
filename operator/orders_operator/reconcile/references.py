"""The Secrets and ConfigMaps that a spec names: which they are, what is missing, their hash. Pure.

The hash rolls the pods when any of the data changes. It is of everything in the objects that are
named, for a pod may read more of them than the one key.
"""

import hashlib
from base64 import b64decode
from binascii import Error as Base64Error
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

from msgspec import Struct, json

from orders_operator.reconcile.index import Reference
from orders_operator.resources.network import POSTGRES_PORT
from orders_operator.resources.pod import database_key

if TYPE_CHECKING:
    from orders_operator.api.spec import OrderService

Object = dict[str, Any]

SECRETS: Final = "secrets"
CONFIG_MAPS: Final = "configmaps"
_HASH_LENGTH: Final = 16
_PORTS: Final = range(1, 65536)
_KINDS: Final = {SECRETS: "Secret", CONFIG_MAPS: "ConfigMap"}


class Needed(Struct, frozen=True):
    """A key of an object that the pods need; an optional one may be missing. No key: any."""

    reference: Reference
    key: str | None
    optional: bool = False


def database_secret(service: "OrderService") -> Needed:
    """Return where the database's URL is."""
    name, key = database_key(service)
    return Needed(Reference(SECRETS, name), key)


def needed(service: "OrderService") -> tuple[Needed, ...]:
    """Return everything that a spec names; what the operator makes itself is not among it."""
    spec = service.spec
    found = [] if spec.database.embedded is not None else [database_secret(service)]
    tracing = spec.tracing
    headers = None if tracing is None or not tracing.enabled else tracing.headers_secret_ref
    if headers is not None:
        found.append(Needed(Reference(SECRETS, headers.name), headers.key))
    for variable in spec.pod_template.env:
        source = _mapping(variable.get("valueFrom"))
        for field, plural in (("secretKeyRef", SECRETS), ("configMapKeyRef", CONFIG_MAPS)):
            named = _mapping(source.get(field))
            if isinstance(named.get("name"), str):
                found.append(
                    Needed(
                        Reference(plural, named["name"]),
                        named.get("key"),
                        bool(named.get("optional")),
                    )
                )
    return tuple(dict.fromkeys(found))


def missing(wanted: Iterable[Needed], live: Mapping[Reference, Object | None]) -> tuple[str, ...]:
    """Say what is not there, object by object or key by key."""
    found = []
    for item in wanted:
        if item.optional:
            continue
        kind, name = _KINDS[item.reference.plural], item.reference.name
        content = live.get(item.reference)
        if content is None:
            found.append(f"{kind} {name} does not exist")
        elif item.key is not None and item.key not in _keys(content):
            found.append(f"{kind} {name} has no key {item.key}")
    return tuple(dict.fromkeys(found))


def config_hash(live: Mapping[Reference, Object | None]) -> str:
    """Hash the data of what is named; names and keys are part of it, metadata are not."""
    content = [
        (ref.plural, ref.name, None if found is None else _data(found))
        for ref, found in sorted(live.items())
    ]
    return hashlib.sha256(json.encode(content, order="sorted")).hexdigest()[:_HASH_LENGTH]


def value(secret: Object | None, key: str) -> str | None:
    """Return a value of a Secret as text; None when it is not there or is no text."""
    data = {} if secret is None else secret.get("data") or {}
    try:
        return b64decode(data[key], validate=True).decode().strip()
    except (KeyError, Base64Error, UnicodeDecodeError):
        return None


def database_ports(url: str | None) -> tuple[int, ...]:
    """Return the ports of a database URL, of all its hosts; PostgreSQL's own when it says none."""
    if url is None:
        return (POSTGRES_PORT,)
    try:
        parts = urlsplit(url)
    except ValueError:
        return (POSTGRES_PORT,)
    hosts = parts.netloc.rpartition("@")[2].split(",")
    asked = dict(pair.partition("=")[::2] for pair in parts.query.split("&"))
    default = [text for text in unquote(asked.get("port", "")).split(",") if text]
    texts = [port for host in hosts for port in ([_port(host)] if _port(host) else default)]
    if not all(_port(host) for host in hosts) and not default:
        texts.append(str(POSTGRES_PORT))
    return tuple(sorted({int(text) for text in texts if _is_port(text)})) or (POSTGRES_PORT,)


def _mapping(found: Any) -> Object:
    """Return an object that the CRD does not look into; the API server refuses what is none."""
    return found if isinstance(found, dict) else {}


def _is_port(text: str) -> bool:
    return text.isascii() and text.isdigit() and int(text) in _PORTS


def _port(host: str) -> str:
    """Return the port of `host:port`, or of an address in brackets."""
    _, colon, port = host.rpartition("]")[2].rpartition(":")
    return port if colon else ""


def _keys(content: Object) -> set[str]:
    return {*(content.get("data") or {}), *(content.get("binaryData") or {})}


def _data(content: Object) -> Object:
    return {"data": content.get("data") or {}, "binaryData": content.get("binaryData") or {}}
