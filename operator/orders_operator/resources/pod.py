"""The pod template, which does not depend on the operator's release: an upgrade rolls no pods.

Credentials are files. Settings that may change while a pod runs (the log level, who may call) are
files, too; everything else is in the template, so that a change rolls the pods.
"""

from typing import Any, Final

from orders_operator.api.auth import ApiKeysSecret
from orders_operator.api.fields import seconds
from orders_operator.api.spec import OrderService, OrderServiceSpec
from orders_operator.api.transport import Cors
from orders_operator.resources import security
from orders_operator.resources.auth import AUTH_FOLDER, AUTH_SUFFIX, ISSUERS
from orders_operator.resources.inherited import declared_metadata, scheduling
from orders_operator.resources.labels import API, labels, selector
from orders_operator.resources.observing import KEYS, METRICS_SUFFIX, tracing_environment
from orders_operator.resources.postgres import database_name
from orders_operator.resources.schemes import PORT_NAMES, declared
from orders_operator.resources.service import HTTP_PORT, METRICS, METRICS_PORT

USER: Final = 65532
MARGIN: Final = 5
"""The seconds between the end of the grace period and SIGKILL."""
SERVICE: Final = "orders"
"""The name of the container that serves."""
DATABASE_VOLUME: Final = "database"
TRACING_VOLUME: Final = "tracing"
TLS_VOLUME: Final = "tls"
AUTH_VOLUME: Final = "auth"
KEYS_VOLUME: Final = "api-keys"
METRICS_VOLUME: Final = "metrics-keys"
CONFIG_SUFFIX: Final = "-config"
"""Of the name of the ConfigMap that the pods watch while they run."""
LOG_LEVEL: Final = "log-level"
"""Its entry with the log level."""

CERTIFICATE: Final = "tls.crt"
PRIVATE_KEY: Final = "tls.key"
"""The entries of a Secret of the type kubernetes.io/tls; cert-manager may add ca.crt."""

_DATABASE: Final = "/etc/orders/database"
_CONFIG: Final = "/etc/orders/config"
_TRACING: Final = "/etc/orders/tracing"
_TLS: Final = "/etc/orders/tls"
_API_KEYS: Final = "/etc/orders/api-keys"
_METRICS_KEYS: Final = "/etc/orders/metrics-keys"
_READABLE: Final = 0o440


def template(service: OrderService) -> dict[str, Any]:
    """Return the pod template, without what differs between two tracks of the same revision."""
    extra = declared_metadata(service.spec)
    return {
        "metadata": {
            "labels": {**extra.labels, **labels(service, API)},
            "annotations": extra.annotations,
        },
        "spec": _pod(service),
    }


def database_key(service: OrderService) -> tuple[str, str]:
    """Return the Secret with the database's URL, and its key."""
    database = service.spec.database
    if database.secret_ref is not None:
        return database.secret_ref.name, database.secret_ref.key
    if database.cluster is not None:
        return f"{database.cluster}-app", "uri"
    return database_name(service), "url"


def _pod(service: OrderService) -> dict[str, Any]:
    spec = service.spec
    delay, grace = seconds(spec.shutdown.delay), seconds(spec.shutdown.grace_period)
    found: dict[str, Any] = {
        "serviceAccountName": service.metadata.name,
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "securityContext": security.pod(USER),
        "terminationGracePeriodSeconds": 2 * delay + grace + MARGIN,
        "containers": [_service(service, delay)],
        "volumes": _volumes(service),
    }
    if spec.migrations.enabled:
        found["initContainers"] = [_migrate(service)]
    if spec.topology_spread.topology_keys:
        found["topologySpreadConstraints"] = _spread(service)
    return found | scheduling(service.spec.pod_template)


def _service(service: OrderService, delay: int) -> dict[str, Any]:
    container = {
        **_container(service, SERVICE, _serve(service.spec)),
        "ports": [
            {
                "name": PORT_NAMES[declared(service.spec)],
                "containerPort": HTTP_PORT,
                "protocol": "TCP",
            },
            {"name": METRICS, "containerPort": METRICS_PORT, "protocol": "TCP"},
        ],
        "startupProbe": _probe("/startupz", periodSeconds=1, failureThreshold=60),
        "livenessProbe": _probe("/livez", periodSeconds=10, failureThreshold=3),
        # Callers return soon after the database does, and leave if it is away for long.
        "readinessProbe": _probe("/readyz", periodSeconds=2, failureThreshold=5),
    }
    if delay:  # a sleep of zero is refused before Kubernetes 1.33 (KEP-4818)
        container["lifecycle"] = {"preStop": {"sleep": {"seconds": delay}}}
    return container


def _serve(spec: OrderServiceSpec) -> list[str]:
    """Return arguments with which an image refuses to start if it lacks a declared protection."""
    protections = {
        "auth": spec.auth is not None,
        "metrics": spec.monitoring.auth,
        "tls": spec.tls is not None,
    }
    required = [name for name, is_declared in protections.items() if is_declared]
    return ["serve", "--require", *required] if required else ["serve"]


def _migrate(service: OrderService) -> dict[str, Any]:
    """Return the init container; its termination message is the report, or the end of its log."""
    timeout = seconds(service.spec.migrations.timeout)
    arguments = ["migrate", "--wait", str(timeout), "--report", "/dev/termination-log"]
    return {
        **_container(service, "migrate", arguments),
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }


def _container(service: OrderService, name: str, arguments: list[str]) -> dict[str, Any]:
    mounts = [
        {"name": DATABASE_VOLUME, "mountPath": _DATABASE, "readOnly": True},
        {"name": "config", "mountPath": _CONFIG, "readOnly": True},
        {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108  the container's own
    ]
    if _headers(service):
        mounts.append({"name": TRACING_VOLUME, "mountPath": _TRACING, "readOnly": True})
    if service.spec.tls is not None:
        mounts.append({"name": TLS_VOLUME, "mountPath": _TLS, "readOnly": True})
    if _takes_tokens(service):
        mounts.append({"name": AUTH_VOLUME, "mountPath": AUTH_FOLDER, "readOnly": True})
    if _api_keys(service):
        mounts.append({"name": KEYS_VOLUME, "mountPath": _API_KEYS, "readOnly": True})
    if service.spec.monitoring.auth:
        mounts.append({"name": METRICS_VOLUME, "mountPath": _METRICS_KEYS, "readOnly": True})
    return {
        "name": name,
        "image": service.spec.image,
        "args": arguments,
        "env": _environment(service),
        "resources": security.resources(service.spec.resources, "64Mi"),
        "securityContext": security.CONTAINER,
        "volumeMounts": mounts,
    }


def _environment(service: OrderService) -> list[dict[str, Any]]:
    """Return the variables: those of the spec, then our own, which take precedence."""
    spec = service.spec
    values = {
        "DATABASE_URL_FILE": f"{_DATABASE}/url",
        "LOG_LEVEL_FILE": f"{_CONFIG}/{LOG_LEVEL}",
        "LOG_FORMAT": "json",
        "SHUTDOWN_DELAY": spec.shutdown.delay,
        "SHUTDOWN_GRACE_PERIOD": spec.shutdown.grace_period,
    }
    own: list[dict[str, Any]] = []
    if spec.tracing is not None and spec.tracing.enabled:
        reference = {"fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.name"}}
        own.append({"name": "POD_NAME", "valueFrom": reference})
        values |= tracing_environment(service, spec.tracing, f"{_TRACING}/headers")
    if spec.tls is not None:
        values |= {
            "TLS_CERT_FILE": f"{_TLS}/{CERTIFICATE}",
            "TLS_KEY_FILE": f"{_TLS}/{PRIVATE_KEY}",
        }
    if _takes_tokens(service):
        values["AUTH_ISSUERS_FILE"] = f"{AUTH_FOLDER}/{ISSUERS}"
    if _api_keys(service):
        values["AUTH_API_KEYS_FILE"] = f"{_API_KEYS}/keys"
    if spec.monitoring.auth:
        values |= {
            "METRICS_AUTH": "true",
            "METRICS_API_KEYS_FILE": f"{_METRICS_KEYS}/keys",
        }
    if spec.cors is not None:
        values |= _cors(spec.cors)
    own += [{"name": name, "value": value} for name, value in values.items()]
    names = {variable["name"] for variable in own}
    return [
        variable for variable in spec.pod_template.env if variable.get("name") not in names
    ] + own


def _volumes(service: OrderService) -> list[dict[str, Any]]:
    secret, key = database_key(service)
    volumes = [
        {"name": DATABASE_VOLUME, "secret": _secret(secret, key, "url")},
        {
            "name": "config",
            "configMap": {
                "name": f"{service.metadata.name}{CONFIG_SUFFIX}",
                "defaultMode": _READABLE,
            },
        },
        {"name": "tmp", "emptyDir": {"sizeLimit": "16Mi"}},
    ]
    headers = _headers(service)
    if headers:
        volumes.append({"name": TRACING_VOLUME, "secret": _secret(*headers, "headers")})
    if service.spec.tls is not None:
        name = service.spec.tls.secret_ref.name
        volumes.append(
            {"name": TLS_VOLUME, "secret": {"secretName": name, "defaultMode": _READABLE}}
        )
    if _takes_tokens(service):
        config = {"name": f"{service.metadata.name}{AUTH_SUFFIX}", "defaultMode": _READABLE}
        volumes.append({"name": AUTH_VOLUME, "configMap": config})
    keys = _api_keys(service)
    if keys is not None:
        volumes.append({"name": KEYS_VOLUME, "secret": _secret(keys.name, keys.key, "keys")})
    if service.spec.monitoring.auth:
        own = f"{service.metadata.name}{METRICS_SUFFIX}"
        volumes.append({"name": METRICS_VOLUME, "secret": _secret(own, KEYS, "keys")})
    return volumes


def _headers(service: OrderService) -> tuple[str, str] | None:
    tracing = service.spec.tracing
    if tracing is None or not tracing.enabled or tracing.headers_secret_ref is None:
        return None
    return tracing.headers_secret_ref.name, tracing.headers_secret_ref.key


def _takes_tokens(service: OrderService) -> bool:
    return service.spec.auth is not None and service.spec.auth.takes_tokens


def _api_keys(service: OrderService) -> ApiKeysSecret | None:
    return None if service.spec.auth is None else service.spec.auth.api_keys_secret_ref


def _secret(name: str, key: str, path: str) -> dict[str, Any]:
    items = [{"key": key, "path": path}]
    return {"secretName": name, "items": items, "defaultMode": _READABLE}


def _spread(service: OrderService) -> list[dict[str, Any]]:
    declared = service.spec.topology_spread
    return [
        {
            "topologyKey": key,
            "maxSkew": declared.max_skew,
            "whenUnsatisfiable": declared.when_unsatisfiable,
            "labelSelector": {"matchLabels": selector(service, API)},
            "matchLabelKeys": ["pod-template-hash"],
        }
        for key in declared.topology_keys
    ]


def _probe(path: str, **settings: int) -> dict[str, Any]:
    """Return a probe at the metrics port, because the API's port may be out of connections."""
    return {"httpGet": {"path": path, "port": METRICS}, "timeoutSeconds": 2, **settings}


def _cors(cors: Cors) -> dict[str, str]:
    """Return the CORS_* variables; the service has defaults for those that are left out."""
    values = {
        "CORS_ALLOW_ORIGINS": ", ".join(cors.allow_origins),
        "CORS_ALLOW_CREDENTIALS": "true" if cors.allow_credentials else "",
        "CORS_ALLOW_HEADERS": ", ".join(cors.allow_headers),
        "CORS_EXPOSE_HEADERS": ", ".join(cors.expose_headers),
        "CORS_MAX_AGE": cors.max_age or "",
    }
    return {name: value for name, value in values.items() if value}
