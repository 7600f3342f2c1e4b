"""What pods read from Secrets and ConfigMaps, by their template, or by the pods themselves. Pure.

A template names what its pods need, whatever the spec says by now and whichever release of the
operator rendered it.
"""

from collections.abc import Iterator
from typing import Any, Final

from msgspec import Struct

from orders_operator.objects import Object
from orders_operator.resources.network import port_of
from orders_operator.resources.pod import (
    AUTH_VOLUME,
    CERTIFICATE,
    DATABASE_VOLUME,
    KEYS_VOLUME,
    METRICS_VOLUME,
    PRIVATE_KEY,
    SERVICE,
    TLS_VOLUME,
    TRACING_VOLUME,
)
from orders_operator.resources.schemes import HTTP, HTTPS, PORT_NAMES

SECRETS: Final = "secrets"
CONFIG_MAPS: Final = "configmaps"
REFERENCED: Final = {SECRETS: "Secret", CONFIG_MAPS: "ConfigMap"}
"""The kinds, by their plurals."""
_READ_ONCE: Final = (DATABASE_VOLUME, TRACING_VOLUME)
_READ_AGAIN: Final = (KEYS_VOLUME, METRICS_VOLUME, TLS_VOLUME)
_ENDPOINTS: Final = frozenset({"OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_ZIPKIN_ENDPOINT"})


class Reference(Struct, frozen=True, order=True):
    """A Secret or ConfigMap in the namespace of the OrderService that names it."""

    plural: str
    name: str


class Needed(Struct, frozen=True, order=True):
    """A key of an object that pods read; an optional one may be missing."""

    reference: Reference
    key: str
    optional: bool = False


def named(pod: Object) -> tuple[Needed, ...]:
    """Return what a pod, or its template, reads only once, so that a change must roll it."""
    return tuple(dict.fromkeys((*_volumes(pod), *_variables(pod))))


def everything(pod: Object) -> tuple[Needed, ...]:
    """Return everything without which a pod, or its template, cannot start.

    API keys and certificates are read again while a pod runs: they roll no pods and are part of no
    copy and no hash, so that every pod refuses a key that is removed.
    """
    return tuple(dict.fromkeys((*named(pod), *_volumes(pod, *_READ_AGAIN))))


def auth_config_of(pod: Object) -> str | None:
    """Return the name of the ConfigMap with a pod's, or its template's, issuers of tokens."""
    for volume in pod["spec"].get("volumes") or []:
        if volume.get("name") == AUTH_VOLUME:
            name: str | None = (volume.get("configMap") or {}).get("name")
            return name
    return None


def metrics_keys_of(pod: Object) -> str | None:
    """Return the name of the Secret with a pod's, or its template's, API keys for metrics."""
    found = next(_volumes(pod, METRICS_VOLUME), None)
    return None if found is None else found.reference.name


def database(pod: Object) -> Needed | None:
    """Return the key of the Secret from which a pod, or its template, has the database's URL."""
    return next(_volumes(pod, DATABASE_VOLUME), None)


def scheme(pod: Object) -> str:
    """Return the scheme of a pod, or its template: `http` or `https`."""
    for container in pod["spec"].get("containers") or []:
        if container.get("name") != SERVICE:
            continue
        names = {port.get("name") for port in container.get("ports") or []}
        return HTTPS if PORT_NAMES[HTTPS] in names else HTTP
    return HTTP


def collector_port(pod: Object) -> int | None:
    """Return the port to which a pod, or its template, sends spans; None if it sends none."""
    for variable in _environment(pod):
        if variable.get("name") not in _ENDPOINTS:
            continue
        return port_of(str(variable.get("value") or ""))
    return None


def _volumes(pod: Object, *names: str) -> Iterator[Needed]:
    for volume in pod["spec"].get("volumes") or []:
        name, secret = volume.get("name"), volume.get("secret") or {}
        if name not in (names or _READ_ONCE) or "secretName" not in secret:
            continue
        reference = Reference(SECRETS, secret["secretName"])
        if name == TLS_VOLUME:
            yield from (Needed(reference, key) for key in (CERTIFICATE, PRIVATE_KEY))
        for item in secret.get("items") or []:
            yield Needed(reference, item["key"])


def _variables(pod: Object) -> Iterator[Needed]:
    for variable in _environment(pod):
        source = _mapping(variable.get("valueFrom"))
        for field, plural in (("secretKeyRef", SECRETS), ("configMapKeyRef", CONFIG_MAPS)):
            found = _mapping(source.get(field))
            if isinstance(found.get("name"), str) and isinstance(found.get("key"), str):
                reference = Reference(plural, found["name"])
                yield Needed(reference, found["key"], bool(found.get("optional")))


def _environment(pod: Object) -> Iterator[Object]:
    for container in pod["spec"].get("containers") or []:
        if container.get("name") == SERVICE:
            yield from container.get("env") or []


def _mapping(value: Any) -> Object:
    """Return a mapping that the CRD does not validate; empty for any other type."""
    return value if isinstance(value, dict) else {}
