"""OrderServices as users may write them, for properties that must hold for all of them."""

from typing import Any, Final

from hypothesis import strategies as st

from orders_operator.api.decode import decode
from orders_operator.api.spec import OrderService
from orders_operator.resources.desired import Facts
from orders_operator.resources.desired import desired as every_child
from orders_operator.resources.kinds import HTTP_ROUTE, SERVICE_MONITOR
from orders_operator.resources.placement import Placement
from orders_operator.resources.pod import template
from orders_operator.resources.revision import revision_of

Object = dict[str, Any]

IMAGE: Final = "orders/service:0.1.0"
EVERY_API: Final = frozenset({SERVICE_MONITOR.api_version, HTTP_ROUTE.api_version})
HASH: Final = "0123456789abcdef"
FACTS: Final = Facts(
    database_ports=(5432,),
    password="made-up",
    live_secret=None,
    apis=EVERY_API,
)


def service(name: str = "shop", /, **spec: Any) -> OrderService:
    """Return an OrderService on an embedded database, unless the spec says otherwise."""
    return decode(
        {
            "metadata": {"name": name, "namespace": "ns", "uid": "u-1", "generation": 1},
            "spec": {"image": IMAGE, "database": {"embedded": {}}, **spec},
        }
    )


def desired(declared: OrderService, facts: Facts = FACTS) -> list[Object]:
    """Return what is desired with one revision in place, or with a canary where it is declared."""
    stable, canary = (revision_of(template(declared, it)) for it in (HASH, "another"))
    if declared.spec.rollout.strategy == "Canary":
        placed = Placement(stable, canary, 2, 25, history=((stable, 1), (canary, 2)))
    else:
        placed = Placement(stable, history=((stable, 1),))
    return every_child(declared, facts, placed)


def children(declared: OrderService, facts: Facts = FACTS) -> dict[tuple[str, str], Object]:
    """Return what is desired, by kind and name."""
    return {(it["kind"], it["metadata"]["name"]): it for it in desired(declared, facts)}


def kinds(declared: OrderService, facts: Facts = FACTS) -> set[str]:
    """Return the kinds of what is desired of the API itself, without its database's."""
    return {kind for kind, name in children(declared, facts) if not name.endswith("-postgresql")}


def pod(declared: OrderService, facts: Facts = FACTS) -> Object:
    """Return the pod template of the service."""
    template: Object = children(declared, facts)["Deployment", "shop"]["spec"]["template"]
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
_rollout = _block(
    strategy=st.sampled_from(["RollingUpdate", "Canary"]),
    canary=_block(
        steps=st.lists(
            _block({"weight": st.integers(1, 100)}, duration=_durations), min_size=1, max_size=4
        ),
        analysis=_block(
            maxErrorRatio=st.floats(0, 1),
            maxLatencyP99=st.just("250ms"),
            minRequests=st.integers(0, 1000),
            prometheus=_block({"url": st.just("http://prometheus:9090")}),
        ),
    ),
    progressDeadline=st.just("5m"),
    rollback=st.sampled_from(["Automatic", "Manual"]),
    history=st.integers(0, 100),
)
_expose = st.one_of(
    _block({"ingress": _block({"host": st.just("shop.example")}, tlsSecretName=_names)}),
    _block({"httpRoute": _block({"parentRefs": st.just([{"name": "gateway"}])})}),
)
_env = st.lists(
    st.fixed_dictionaries({"name": st.sampled_from(["A", "LOG_FORMAT"]), "value": _names}),
    max_size=2,
    unique_by=lambda variable: variable["name"],
)
specs = st.fixed_dictionaries(
    {"image": st.just(IMAGE), "database": _databases},
    optional={
        "replicas": st.integers(0, 5),
        "autoscaling": _block({"max": st.integers(2, 9)}, cpu=st.integers(1, 99)),
        "migrations": _block(enabled=st.booleans(), timeout=_durations),
        "rollout": _rollout,
        "monitoring": _block(enabled=st.booleans(), labels=_labels),
        "tracing": _tracing,
        "logLevel": st.sampled_from(["DEBUG", "ERROR"]),
        "disruptionBudget": _block(enabled=st.booleans(), maxUnavailable=st.integers(1, 3)),
        "networkPolicy": _block(enabled=st.booleans(), to=st.just([{"ports": [{"port": 443}]}])),
        "topologySpread": _block(topologyKeys=st.just([])),
        "expose": _expose,
        "shutdown": _block(delay=_durations, gracePeriod=_durations),
        "podTemplate": _block(labels=_labels, annotations=_labels, env=_env),
        "paused": st.booleans(),
    },
)
"""Specs that the CRD lets through."""

services = specs.map(lambda spec: service(**spec))
