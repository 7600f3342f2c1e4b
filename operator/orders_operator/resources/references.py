"""What pods read of Secrets and ConfigMaps, by their template, or by the pods themselves. Pure.

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
    """A key of an object that the pods read; an optional one may be missing."""

    reference: Reference
    key: str
    optional: bool = False


def named(pod: Object) -> tuple[Needed, ...]:
    """Return what a pod, or its template, reads once: what rolls it when it changes."""
    return tuple(dict.fromkeys((*_volumes(pod), *_variables(pod))))


def everything(pod: Object) -> tuple[Needed, ...]:
    """Return all that a pod, or its template, cannot begin without.

    API keys and certificates are read again while it runs: they roll nothing, and are in no copy
    and no hash, so that a key that is taken out is refused by every pod.
    """
    return tuple(dict.fromkeys((*named(pod), *_volumes(pod, *_READ_AGAIN))))


def auth_config_of(pod: Object) -> str | None:
    """Return the name of the ConfigMap that tells a pod, or its template, whose tokens to take."""
    for volume in pod["spec"].get("volumes") or []:
        if volume.get("name") == AUTH_VOLUME:
            name: str | None = (volume.get("configMap") or {}).get("name")
            return name
    return None


def metrics_keys_of(pod: Object) -> str | None:
    """Return the name of the Secret that tells a pod, or its template, who may read metrics."""
    found = next(_volumes(pod, METRICS_VOLUME), None)
    return None if found is None else found.reference.name


def database(pod: Object) -> Needed | None:
    """Return where a pod, or its template, has the database's URL from."""
    return next(_volumes(pod, DATABASE_VOLUME), None)


def scheme(pod: Object) -> str:
    """Return what a pod, or its template, speaks: `http` or `https`."""
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
    """Return an object that the CRD does not look into; the API server refuses what is none."""
    return value if isinstance(value, dict) else {}
