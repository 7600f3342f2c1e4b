"""The embedded PostgreSQL, for evaluation: one pod of the official image, a password, a volume.

The claim of its volume stays when the OrderService is deleted, unless the spec declares otherwise:
only a person deletes orders.

The password is set at each start, not only when the data are made. So if the Secret is deleted and
made anew with another password, nobody is locked out.
"""

import hashlib
from base64 import b64decode, b64encode
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import quote

from msgspec.structs import replace

from orders_operator.api.database import Embedded
from orders_operator.api.spec import OrderService, PodTemplate
from orders_operator.objects import Object
from orders_operator.resources import security
from orders_operator.resources.inherited import scheduling
from orders_operator.resources.labels import (
    COMPONENT,
    CONFIG_HASH,
    DATABASE,
    REVISION,
    child,
    labels,
    selector,
)
from orders_operator.resources.names import STATEFUL_SET_LENGTH, bounded, named
from orders_operator.resources.network import POSTGRES_PORT

if TYPE_CHECKING:
    from orders_operator.resources.database_revision import DatabaseRevision

SUFFIX: Final = "-postgresql"
USER: Final = 999
"""The user id of `postgres` in the official image."""

CONTAINER: Final = "postgresql"
VOLUME_PERMISSIONS: Final = "volume-permissions"
CLAIM: Final = "data"
"""The name of the claim template."""

_NAME: Final = "orders"
_VOLUME: Final = "/var/lib/postgresql/data"
_PASSWORD: Final = "/etc/postgresql/secret"  # noqa: S105  a folder
_PORT_NAME: Final = "postgresql"
_SET_PASSWORD: Final = rf"""
until pg_isready --quiet --host=127.0.0.1; do sleep 0.2; done
printf '%s\n' '\set new `cat {_PASSWORD}/password`' "ALTER ROLE {_NAME} PASSWORD :'new';" |
    psql --quiet --no-psqlrc --set=ON_ERROR_STOP=1 --username={_NAME} --dbname={_NAME}
"""
"""It waits for TCP, because the official image listens only on the socket while it prepares the
data."""


def secret(service: OrderService, password: str, live: Object | None) -> Object:
    """Return the Secret; a password that it has is kept, and `password` is for a new Secret.

    A person may have set any password; PostgreSQL takes it without a newline at its end.
    """
    kept = ((live or {}).get("data") or {}).get("password")
    if kept:
        password = b64decode(kept).decode()
    host = database_name(service)
    quoted = quote(password.removesuffix("\n"), safe="")
    url = f"postgresql://{_NAME}:{quoted}@{host}:{POSTGRES_PORT}/{_NAME}"
    data = {"password": password, "url": url}
    return _child(
        service,
        "v1",
        "Secret",
        type="Opaque",
        data={key: b64encode(value.encode()).decode() for key, value in data.items()},
    )


def headless_service(service: OrderService) -> dict[str, Any]:
    """Return the headless Service, which gives the pod its name in DNS."""
    port = {
        "name": _PORT_NAME,
        "port": POSTGRES_PORT,
        "targetPort": _PORT_NAME,
        "protocol": "TCP",
    }
    return _child(
        service,
        "v1",
        "Service",
        spec={"clusterIP": "None", "selector": selector(service, DATABASE), "ports": [port]},
    )


def stateful_set(
    service: OrderService, kept: "DatabaseRevision", made: Object, replicas: int = 1
) -> Object:
    """Return the StatefulSet of a revision; `made` is the Secret that its pod reads."""
    digest = hashlib.sha256(made["data"]["password"].encode()).hexdigest()
    metadata = kept.template["metadata"]
    found = _child(
        service,
        "apps/v1",
        "StatefulSet",
        spec={
            "replicas": replicas,
            "serviceName": database_name(service),
            "selector": {"matchLabels": selector(service, DATABASE)},
            "persistentVolumeClaimRetentionPolicy": {
                "whenDeleted": kept.declared.retention,
                "whenScaled": "Retain",
            },
            "template": {
                "metadata": {
                    **metadata,
                    "annotations": {**metadata.get("annotations", {}), CONFIG_HASH: digest[:16]},
                },
                "spec": kept.template["spec"],
            },
            "volumeClaimTemplates": kept.claims,
        },
    )
    found["metadata"]["annotations"] = {REVISION: kept.hash}
    return found


def template(service: OrderService, embedded: Embedded, extra: PodTemplate) -> Object:
    """Return the pod template, with `extra`, and without the hash of the password."""
    metadata = {"labels": {**extra.labels, **labels(service, DATABASE)}}
    return {
        "metadata": metadata | ({"annotations": extra.annotations} if extra.annotations else {}),
        "spec": _pod(service, embedded) | scheduling(extra),
    }


def _pod(service: OrderService, embedded: Embedded) -> dict[str, Any]:
    name = database_name(service)
    items = [{"key": "password", "path": "password"}]
    first = [_volume_permissions(embedded)] if embedded.volume_permissions else []
    return {
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": security.pod(USER),
        "terminationGracePeriodSeconds": 60,
        **({"initContainers": first} if first else {}),
        "containers": [_container(embedded)],
        "volumes": [
            {
                "name": "secret",
                "secret": {"secretName": name, "items": items, "defaultMode": 0o440},
            },
            {"name": "run", "emptyDir": {"sizeLimit": "16Mi"}},
            {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
        ],
    }


def _container(embedded: Embedded) -> dict[str, Any]:
    environment = {
        "POSTGRES_USER": _NAME,
        "POSTGRES_DB": _NAME,
        "POSTGRES_PASSWORD_FILE": f"{_PASSWORD}/password",
        "PGDATA": f"{_VOLUME}/pgdata",
    }
    return {
        "name": CONTAINER,
        "image": embedded.image,
        "env": [{"name": name, "value": value} for name, value in environment.items()],
        "ports": [{"name": _PORT_NAME, "containerPort": POSTGRES_PORT, "protocol": "TCP"}],
        "lifecycle": {"postStart": {"exec": {"command": ["sh", "-c", _SET_PASSWORD]}}},
        "startupProbe": _probe(periodSeconds=1, failureThreshold=120),
        "livenessProbe": _probe(periodSeconds=10, failureThreshold=6),
        "readinessProbe": _probe(periodSeconds=5, failureThreshold=3),
        "resources": security.resources(embedded.resources, "256Mi"),
        "securityContext": security.CONTAINER,
        "terminationMessagePolicy": "FallbackToLogsOnError",
        "volumeMounts": [
            {"name": CLAIM, "mountPath": _VOLUME},
            {"name": "secret", "mountPath": _PASSWORD, "readOnly": True},
            {"name": "run", "mountPath": "/var/run/postgresql"},
            {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  the container's own
        ],
    }


def _volume_permissions(embedded: Embedded) -> dict[str, Any]:
    """Return the init container that gives PostgreSQL its volume: hostPath ignores fsGroup."""
    root = {"runAsUser": 0, "runAsGroup": 0, "runAsNonRoot": False}
    return {
        "name": VOLUME_PERMISSIONS,
        "image": embedded.image,
        "command": ["chown", f"{USER}:{USER}", "/volume"],
        "resources": security.resources(embedded.resources, "256Mi"),
        "securityContext": {
            **security.CONTAINER,
            **root,
            "capabilities": {"drop": ["ALL"], "add": ["CHOWN"]},
        },
        "volumeMounts": [{"name": CLAIM, "mountPath": "/volume"}],
    }


def database_name(service: OrderService) -> str:
    """Return the name of the StatefulSet, of its Service and of the Secret with its password."""
    return service.database_name or database_names(service.metadata.name)[0]


def database_names(name: str) -> tuple[str, str]:
    """Return the names that an OrderService's database may have: the bounded and the full one.

    They are the same unless the OrderService's name is long.
    """
    return bounded(name, SUFFIX, STATEFUL_SET_LENGTH), f"{name}{SUFFIX}"


def with_database_of(service: OrderService, live: Iterable[Object]) -> OrderService:
    """Return the resource with the name that its database has; `live` are its children.

    Earlier releases did not hash names, so a database with a name of 53 to 56 characters worked
    only if the hash of its StatefulSet happened to be short. Such a database keeps its name, and
    with it its claim.
    """
    _, name = database_names(service.metadata.name)
    for found in live:
        metadata = found["metadata"]
        component = (metadata.get("labels") or {}).get(COMPONENT)
        if component == DATABASE and metadata["name"] == name:
            return replace(service, database_name=name)
    return service


def _probe(**settings: int) -> dict[str, Any]:
    command = ["pg_isready", "--host=127.0.0.1", f"--username={_NAME}", f"--dbname={_NAME}"]
    return {"exec": {"command": command}, "timeoutSeconds": 5, **settings}


def _child(service: OrderService, api_version: str, kind: str, **content: Any) -> dict[str, Any]:
    made = child(service, api_version, kind, component=DATABASE, **content)
    return named(database_name(service), made)
