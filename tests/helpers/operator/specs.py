"""OrderServices as users may write them, for properties that must hold for all of them."""

from typing import Any, Final

from hypothesis import strategies as st

from orders_operator.api.decode import decode
from orders_operator.api.spec import OrderService
from orders_operator.objects import Object
from orders_operator.resources import postgres
from orders_operator.resources.database_revision import database_revision
from orders_operator.resources.declaration import declaration
from orders_operator.resources.desired import Database, Facts
from orders_operator.resources.desired import desired as every_child
from orders_operator.resources.kinds import HTTP_ROUTE, SERVICE_MONITOR
from orders_operator.resources.metrics_key import metrics_secret
from orders_operator.resources.network import Egress
from orders_operator.resources.placement import Placement, Running
from orders_operator.resources.revision import Revision, wanted
from orders_operator.resources.schemes import Schemes
from orders_operator.resources.schemes import declared as scheme

IMAGE: Final = "orders/service:0.1.0"
EVERY_API: Final = frozenset({SERVICE_MONITOR.api_version, HTTP_ROUTE.api_version})
HASH: Final = "0123456789abcdef"
PASSWORD: Final = "made-up"


def service(name: str = "shop", /, **spec: Any) -> OrderService:
    """Return an OrderService on an embedded database, unless the spec says otherwise."""
    return decode(
        {
            "metadata": {"name": name, "namespace": "ns", "uid": "u-1", "generation": 1},
            "spec": {"image": IMAGE, "database": {"embedded": {}}, **spec},
        }
    )


def revision(declared: OrderService, **annotations: str) -> Revision:
    """Return the revision of a resource, of which none is kept."""
    said = {f"orders.dev/{name}": value for name, value in annotations.items()}
    return wanted(declared, declaration(declared, said), ())


def facts(declared: OrderService, **known: Any) -> Facts:
    """Return what is known of a resource, with a canary if it declares one."""
    stable, canary = revision(declared), revision(declared, restart="2026-01-02T03:04:05Z")
    tracks = Running(stable, HASH), Running(canary, HASH)
    if declared.spec.rollout.strategy == "Canary":
        placed = Placement(*tracks, 2, history=((stable, 1), (canary, 2)))
    else:
        placed = Placement(tracks[0], history=((stable, 1),))
    kept = database_revision(declared, None, None)
    database = None if kept is None else Database(kept, postgres.secret(declared, PASSWORD, None))
    return Facts(
        **{
            "apis": EVERY_API,
            "placement": placed,
            "weight": 25,
            "database": database,
            "egress": Egress((5432,), embedded=database is not None),
            "schemes": schemes(declared),
            "metrics_key": metrics_key(declared),
            **known,
        }
    )


def metrics_key(declared: OrderService) -> Object | None:
    """Return the Secret with the API key of the metrics, if they ask for one."""
    asked = declared.spec.monitoring.auth
    return metrics_secret(declared, "orders_" + "k" * 43, None) if asked else None


def schemes(declared: OrderService) -> Schemes:
    """Return that all pods speak what is declared."""
    spoken = scheme(declared.spec)
    return Schemes(frozenset({spoken}), spoken, spoken, spoken)


def desired(declared: OrderService, **known: Any) -> list[Object]:
    """Return what is desired with one revision in place, or with a canary where it is declared."""
    return every_child(declared, facts(declared, **known))


def children(declared: OrderService, **known: Any) -> dict[tuple[str, str], Object]:
    """Return what is desired, by kind and name."""
    return {(it["kind"], it["metadata"]["name"]): it for it in desired(declared, **known)}


def kinds(declared: OrderService, **known: Any) -> set[str]:
    """Return the kinds of what is desired of the API itself, without its database's."""
    return {kind for kind, name in children(declared, **known) if not name.endswith("-postgresql")}


def pod(declared: OrderService, **known: Any) -> Object:
    """Return the pod template of the service."""
    template: Object = children(declared, **known)["Deployment", "shop"]["spec"]["template"]
    return template


def variables(declared: OrderService) -> dict[str, Any]:
    """Return the service's environment."""
    [container] = pod(declared)["spec"]["containers"]
    return {it["name"]: it.get("value") for it in container["env"]}


_names = st.from_regex(r"\A[a-z]([-a-z0-9]{0,10}[a-z0-9])?\Z")
_labels = st.dictionaries(_names, st.from_regex(r"\A[a-z0-9]{0,10}\Z"), max_size=2)
_durations = st.from_regex(r"\A[0-9]{1,2}(s|m)\Z")


def _block(required: dict[str, Any] | None = None, **optional: Any) -> st.SearchStrategy[Object]:
    return st.fixed_dictionaries(required or {}, optional=optional)


_databases = st.one_of(
    _block({"secretRef": _block({"name": _names}, key=_names)}),
    _block({"cluster": _names}),
    _block({"embedded": _block(volumePermissions=st.booleans(), image=st.just("postgres:18"))}),
)
_tracing = _block(
    {"endpoint": st.sampled_from(["http://collector:4318", "https://traces.example/zipkin"])},
    enabled=st.booleans(),
    protocol=st.sampled_from(["http/protobuf", "zipkin"]),
    ratio=st.floats(0, 1),
    headersSecretRef=_block({"name": _names}),
    resourceAttributes=_labels,
)
_analysis = _block(
    maxErrorRatio=st.floats(0, 1),
    maxLatencyP99=st.just("250ms"),
    minRequests=st.integers(0, 1000),
    prometheus=_block({"url": st.just("http://prometheus:9090")}),
)
_rollout = _block(
    strategy=st.sampled_from(["RollingUpdate", "Canary"]),
    canary=_block(
        steps=st.lists(
            _block({"weight": st.integers(1, 100)}, duration=_durations), min_size=1, max_size=4
        ),
        analysis=_analysis,
    ),
    rollingUpdate=_block(
        maxSurge=st.sampled_from([1, 3, "25%", "100%"]),
        maxUnavailable=st.sampled_from([0, 1, "0%", "50%"]),
        analysis=_analysis,
    ),
    minReadySeconds=st.integers(0, 100),
    bake=_durations,
    progressDeadline=st.just("5m"),
    rollback=st.sampled_from(["Automatic", "Manual"]),
    history=st.integers(0, 100),
)
_expose = st.one_of(
    _block({"ingress": _block({"host": st.just("shop.example")}, tlsSecretName=_names)}),
    _block({"httpRoute": _block({"parentRefs": st.just([{"name": "gateway"}])})}),
)
_cors = _block(
    {"allowOrigins": st.just(["https://shop.example.com"])},
    allowCredentials=st.booleans(),
    allowHeaders=st.just(["authorization"]),
    maxAge=_durations,
)
_tls = _block({"secretRef": _block({"name": _names})})
_scopes = st.sampled_from([["orders:read"], ["orders:read", "orders:write"]])
_jwt = _block(
    {"issuer": st.just("https://login.example.com"), "audience": st.just("orders")},
    jwksURL=st.just("https://login.example.com:8443/keys"),
    scopesClaim=_names,
    subjects=st.lists(_block({"subject": _names, "scopes": _scopes}), max_size=2),
)
_account = _block({"namespace": _names, "name": _names, "scopes": _scopes})
_auth = st.one_of(
    _block({"apiKeysSecretRef": _block({"name": _names}, key=_names)}),
    _block({"jwt": st.lists(_jwt, min_size=1, max_size=1)}, serviceAccounts=st.just([])),
    _block({"serviceAccounts": st.lists(_account, min_size=1, max_size=2)}),
)
_env = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(["A", "LOG_FORMAT"]), "value": _names}),
    max_size=2,
    unique_by=lambda variable: variable["name"],
)
_own_labels = st.dictionaries(
    _names | st.sampled_from(["app.kubernetes.io/name", "orders.dev/track", "team"]),
    st.just("theirs"),
    max_size=3,
)
"""Some of which a child has another value of."""
_scheduling: dict[str, Any] = {
    "nodeSelector": _labels,
    "tolerations": st.just([{"key": "spot", "operator": "Exists"}]),
    "affinity": st.just({"nodeAffinity": {}}),
    "priorityClassName": _names,
    "imagePullSecrets": st.lists(st.fixed_dictionaries({"name": _names}), max_size=2),
}
specs = st.fixed_dictionaries(
    {"image": st.just(IMAGE), "database": _databases},
    optional={
        "replicas": st.integers(0, 5),
        "autoscaling": _block({"max": st.integers(2, 9)}, cpu=st.integers(1, 99)),
        "migrations": _block(enabled=st.booleans(), timeout=_durations),
        "rollout": _rollout,
        "monitoring": _block(enabled=st.booleans(), labels=_labels, auth=st.booleans()),
        "tracing": _tracing,
        "cors": _cors,
        "tls": _tls,
        "auth": _auth,
        "logLevel": st.sampled_from(["DEBUG", "ERROR"]),
        "disruptionBudget": _block(enabled=st.booleans(), maxUnavailable=st.integers(1, 3)),
        "networkPolicy": _block(enabled=st.booleans(), to=st.just([{"ports": [{"port": 443}]}])),
        "topologySpread": _block(topologyKeys=st.just([])),
        "expose": _expose,
        "shutdown": _block(delay=_durations, gracePeriod=_durations),
        "podTemplate": _block(labels=_labels, annotations=_labels, env=_env, **_scheduling),
        "inheritedMetadata": _block(labels=_own_labels, annotations=_labels),
        "paused": st.booleans(),
    },
)
"""Specs that the CRD lets through."""

services = specs.map(lambda spec: service(**spec))
