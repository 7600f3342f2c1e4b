"""The configuration: one frozen object, read once from the environment.

The variables of tracing are those of the order service; only the default name in traces differs.
"""

import os
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from msgspec import Struct

from orders_common import parse
from orders_common.settings import Reader, Setting
from orders_common.tracing import TracingConfig, read_tracing
from orders_common.tracing_settings import tracing_settings

_NAME: Final = re.compile(r"[a-z0-9]([-a-z0-9.]*[a-z0-9])?")
_NAME_LENGTH: Final = 253
_GROUP: Final = "Operator"
_NAMESPACE_FILE: Final = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")


def _name(text: str) -> str:
    """Parse the name of an object."""
    stripped = text.strip()
    if _NAME.fullmatch(stripped) is None or len(stripped) > _NAME_LENGTH:
        raise ValueError(text)
    return stripped


def _names(text: str) -> tuple[str, ...]:
    """Parse names separated by commas, and drop repetitions."""
    return tuple(dict.fromkeys(_name(part) for part in text.split(",") if part.strip()))


SETTINGS: Final = (
    Setting(
        "namespaces",
        ("WATCH_NAMESPACES",),
        _names,
        (),
        "names of namespaces, separated by commas",
        "The namespaces in which it works; empty means the whole cluster.",
        _GROUP,
    ),
    Setting(
        "pod_namespace",
        ("POD_NAMESPACE",),
        _name,
        None,
        "a namespace's name",
        "Where its Lease and its Events are. When left out, that of its ServiceAccount.",
        _GROUP,
    ),
    Setting(
        "pod_name",
        ("POD_NAME",),
        _name,
        None,
        "a pod's name",
        "The name that distinguishes it from other replicas. When left out, host and process id.",
        _GROUP,
    ),
    Setting(
        "lease_name",
        ("LEASE_NAME",),
        _name,
        "orders-operator",
        "a Lease's name",
        "The Lease by which replicas elect their leader.",
        _GROUP,
    ),
    Setting(
        "metrics_port",
        ("METRICS_PORT",),
        parse.integer(1, 65_535),
        2121,
        "a port, 1 to 65535",
        "The port of `/metrics`, `/livez` and `/readyz`.",
        _GROUP,
    ),
    Setting(
        "resync_interval",
        ("RESYNC_INTERVAL",),
        parse.duration(1, 86_400),
        300.0,
        "a duration, 1s to 24h, as 30s or 5m",
        "How often each OrderService is reconciled without a change.",
        _GROUP,
        unit="s",
    ),
    Setting(
        "log_level",
        ("LOG_LEVEL",),
        parse.choice("DEBUG", "INFO", "WARNING", "ERROR", warn="WARNING", fatal="ERROR"),
        "INFO",
        "DEBUG, INFO, WARN, WARNING, ERROR, FATAL",
        "The lowest level that is logged.",
        _GROUP,
    ),
)
TRACING: Final = tracing_settings(
    "orders-operator", service_name="orders-operator", recorded="reconciles"
)


class Settings(Struct, frozen=True):
    """All settings; durations are seconds.

    An empty `namespaces` means the whole cluster. `lease_name` is the Lease by which replicas
    elect their leader. With `pod_namespace` it is also this release's name to other releases; it
    equals the Deployment's name.
    """

    namespaces: tuple[str, ...] = ()
    pod_namespace: str = "default"
    pod_name: str = ""
    lease_name: str = "orders-operator"
    metrics_port: int = 2121
    resync_interval: float = 300.0
    log_level: str = "INFO"
    tracing: TracingConfig = TracingConfig()

    @classmethod
    def from_env(cls, environ: Mapping[str, str]) -> "Settings":
        """Read every setting from environment variables.

        Raises:
            ConfigError: a value is not allowed.

        """
        reader = Reader(environ)
        values = reader.group(SETTINGS)
        values["pod_namespace"] = values["pod_namespace"] or _own_namespace()
        values["pod_name"] = values["pod_name"] or _own_name()
        return cls(tracing=read_tracing(reader, TRACING), **values)


def _own_namespace() -> str:
    """Return the namespace of the pod's service account, `default` outside a cluster."""
    try:
        return _NAMESPACE_FILE.read_text(encoding="utf-8").strip()
    except OSError:
        return "default"


def _own_name() -> str:
    """Return a name for this process, from the host name and the process id."""
    host = re.sub(r"[^-a-z0-9]", "-", socket.gethostname().lower()).strip("-") or "operator"
    return f"{host}-{os.getpid()}"
