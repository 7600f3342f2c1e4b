"""Each optional block: added, its child appears; changed, it changes; removed, it is gone."""

import uuid
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import pytest

from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import CommandError, Namespace, order_service

SECONDS: Final = 15.0
_CLASS: Final = "e2e-of-root"


class Option(NamedTuple):
    """A block of the spec, two values of it, and what its child says after the second."""

    name: str
    child: str
    on: Object
    changed: Object
    shows: Callable[[Object], Any]
    expected: Any
    off: Object | None = None


OPTIONS: Final = (
    Option(
        "autoscaling",
        "horizontalpodautoscaler",
        {"min": 1, "max": 2},
        {"min": 1, "max": 3, "memory": 80},
        lambda it: (it["spec"]["maxReplicas"], it["spec"]["metrics"][0]["resource"]["name"]),
        (3, "memory"),
    ),
    Option(
        "disruptionBudget",
        "poddisruptionbudget",
        {"enabled": True},
        {"enabled": True, "minAvailable": "50%"},
        lambda it: (it["spec"].get("minAvailable"), it["spec"].get("maxUnavailable")),
        ("50%", None),
        {"enabled": False, "minAvailable": None},
    ),
    Option(
        "networkPolicy",
        "networkpolicy",
        {"enabled": True},
        {"enabled": True, "from": [{"podSelector": {"matchLabels": {"caller": "yes"}}}]},
        lambda it: it["spec"]["ingress"][0]["from"][0]["podSelector"]["matchLabels"],
        {"caller": "yes"},
        {"enabled": False},
    ),
    Option(
        "expose",
        "ingress",
        {"ingress": {"host": "one.example.com"}},
        {"ingress": {"host": "two.example.com", "tlsSecretName": "two"}},
        lambda it: it["spec"]["tls"][0],
        {"hosts": ["two.example.com"], "secretName": "two"},
    ),
)


@pytest.fixture(scope="module")
def options(namespace: Namespace) -> str:
    """Have an OrderService with two pods that never start: its children are what is tested."""
    namespace.apply(
        order_service(
            "options",
            replicas=2,
            podTemplate={"nodeSelector": {"no": "node"}},
            networkPolicy={"enabled": False},
            disruptionBudget={"enabled": False},
        )
    )
    namespace.wait("deployment/options", "create", SECONDS)
    return "options"


@pytest.mark.parametrize("option", OPTIONS, ids=lambda option: option.name)
def test_an_option_makes_changes_and_removes_its_child(
    namespace: Namespace, options: str, option: Option
) -> None:
    """Each step is done within 15 s."""
    child = f"{option.child}/{options}"
    assert not namespace.exists(option.child, options)

    namespace.patch("orderservice", options, {"spec": {option.name: option.on}})
    namespace.wait(child, "create", SECONDS)

    namespace.patch("orderservice", options, {"spec": {option.name: option.changed}})
    namespace.until(lambda: _shows(namespace, options, option), SECONDS, f"{child} changed")

    namespace.patch("orderservice", options, {"spec": {option.name: option.off}})
    namespace.wait(child, "delete", SECONDS)


def _shows(namespace: Namespace, name: str, option: Option) -> bool:
    try:
        return bool(option.expected == option.shows(namespace.get(option.child, name)))
    except (KeyError, IndexError):
        return False


def test_an_embedded_database_comes_and_goes(namespace: Namespace, options: str) -> None:
    """Its children appear within 15 s, and go within 30 s when no pod may still use them."""
    kinds = ("statefulset", "secret", "service", "networkpolicy")
    change: Object = {"embedded": {}, "secretRef": None}
    spec: Object = {"database": change, "networkPolicy": {"enabled": True}}
    namespace.patch("orderservice", options, {"spec": spec})
    for kind in kinds:
        namespace.wait(f"{kind}/{options}-postgresql", "create", SECONDS)

    back = {"embedded": None, "secretRef": {"name": "database"}}
    spec = {"database": back, "networkPolicy": {"enabled": False}, "replicas": 0}
    namespace.patch("orderservice", options, {"spec": spec})
    for kind in kinds:
        namespace.wait(f"{kind}/{options}-postgresql", "delete", 30)
    namespace.patch("orderservice", options, {"spec": {"replicas": 2}})


def test_tracing_and_migrations_show_in_the_pods(namespace: Namespace, options: str) -> None:
    """Tracing adds variables, migrations an init container; both go within 15 s when removed."""

    def template() -> Object:
        found: Object = namespace.get("deployment", options)["spec"]["template"]["spec"]
        return found

    def names() -> set[str]:
        return {it["name"] for it in template()["containers"][0]["env"]}

    tracing = {"endpoint": "http://collector:4318", "ratio": 0.5}
    namespace.patch("orderservice", options, {"spec": {"tracing": tracing}})
    namespace.until(lambda: "OTEL_TRACES_SAMPLER_ARG" in names(), SECONDS, "tracing is on")
    namespace.patch("orderservice", options, {"spec": {"tracing": None}})
    namespace.until(lambda: "OTEL_TRACES_SAMPLER_ARG" not in names(), SECONDS, "tracing is off")

    assert ["migrate"] == [it["name"] for it in template()["initContainers"]]
    namespace.patch("orderservice", options, {"spec": {"migrations": {"enabled": False}}})
    namespace.until(lambda: not template().get("initContainers"), SECONDS, "no init container")


def test_paused_leaves_everything_as_it_is(namespace: Namespace, options: str) -> None:
    """Paused, changes do nothing and drift stays; resumed, all is done within 15 s."""
    namespace.patch("orderservice", options, {"spec": {"paused": True}})
    namespace.wait(f"orderservice/{options}", "condition=Paused", SECONDS)
    namespace.kubectl("delete", "service", options)
    namespace.patch("orderservice", options, {"spec": {"logLevel": "DEBUG"}})
    settled = "jsonpath={.status.conditions[?(@.type=='Paused')].observedGeneration}="
    generation = namespace.get("orderservice", options)["metadata"]["generation"]
    namespace.wait(f"orderservice/{options}", f"{settled}{generation}", SECONDS)
    assert not namespace.exists("service", options)
    assert "INFO" == namespace.get("configmap", f"{options}-config")["data"]["log-level"]

    namespace.patch("orderservice", options, {"spec": {"paused": False}})
    namespace.wait(f"service/{options}", "create", SECONDS)
    namespace.wait(f"configmap/{options}-config", "jsonpath={.data.log-level}=DEBUG", SECONDS)


BOTH_LATENCIES = {"maxLatencyP99": "1s", "maxLatencyIncrease": 2}


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"database": {}}, "exactly one of secretRef, cluster and embedded"),
        ({"database": {"cluster": "a", "embedded": {}}}, "exactly one of secretRef, cluster"),
        ({"autoscaling": {"min": 3, "max": 2}}, "min must not be greater than max"),
        ({"disruptionBudget": {"minAvailable": 1, "maxUnavailable": 1}}, "are mutually exclusive"),
        ({"shutdown": {"delay": "soon"}}, "spec.shutdown.delay"),
        ({"shutdown": {"delay": "11m"}}, "delay must be at most 10m"),
        ({"logLevel": "LOUD"}, 'Unsupported value: "LOUD"'),
        ({"image": ""}, "spec.image"),
        ({"replicas": -1}, "spec.replicas"),
        ({"tracing": {"endpoint": "collector:4318"}}, "spec.tracing.endpoint"),
        ({"rollout": {"strategy": "BlueGreen"}}, 'Unsupported value: "BlueGreen"'),
        ({"rollout": {"canary": {"steps": []}}}, "spec.rollout.canary.steps"),
        ({"rollout": {"canary": {"steps": [{"weight": 0}]}}}, "steps[0].weight"),
        ({"rollout": {"canary": {"analysis": {"interval": "1s"}}}}, "interval must be 5s to 1h"),
        (
            {"rollout": {"canary": {"analysis": BOTH_LATENCIES}}},
            "maxLatencyP99 and maxLatencyIncrease are mutually exclusive",
        ),
        ({"colour": "red"}, 'unknown field "spec.colour"'),
        ({"database": {"embedded": {"storage": {"size": "ten"}}}}, "storage.size"),
        ({"database": {"embedded": {"storage": {"size": "0Gi"}}}}, "storage.size"),
        ({"database": {"embedded": {"storage": {"size": 0}}}}, "storage.size"),
        ({"inheritedMetadata": {"labels": {"team": "a b"}}}, "inheritedMetadata.labels.team"),
        ({"resources": {"limits": {"memory": "64 MB"}}}, "spec.resources.limits.memory"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_the_api_server_refuses_what_cannot_be_meant(
    namespace: Namespace, spec: Object, message: str
) -> None:
    """A bad resource is refused at once with a message that names the field."""
    with pytest.raises(CommandError) as caught:
        namespace.apply(order_service("bad", **spec))

    assert message in str(caught.value)


def test_labels_and_scheduling_are_in_every_pod(namespace: Namespace, options: str) -> None:
    """Within 15 s of a change; the database's pod stays where its claim was made."""
    spot = {"key": "spot", "operator": "Exists"}
    change: Object = {
        "database": {"embedded": {}, "secretRef": None},
        "inheritedMetadata": {"labels": {"team": "shop"}},
    }
    namespace.patch("orderservice", options, {"spec": change})
    namespace.wait(f"statefulset/{options}-postgresql", "create", SECONDS)

    def pods() -> list[Object]:
        names = f"deployment/{options}", f"statefulset/{options}-postgresql"
        return [namespace.get(*it.split("/"))["spec"]["template"] for it in names]

    def tolerated() -> bool:
        return all(spot in (it["spec"].get("tolerations") or ()) for it in pods())

    change = {"podTemplate": {"nodeSelector": {"no": "other"}, "tolerations": [spot]}}
    namespace.patch("orderservice", options, {"spec": change})
    namespace.until(tolerated, SECONDS, "both tolerate")
    selectors = [it["spec"]["nodeSelector"] for it in pods()]
    assert [{"no": "other"}, {"no": "node"}] == selectors
    assert ["shop", "shop"] == [it["metadata"]["labels"]["team"] for it in pods()]
    services = namespace.every("services", f"app.kubernetes.io/instance={options},team=shop")
    assert {options, f"{options}-postgresql"} == {it["metadata"]["name"] for it in services}

    back: Object = {
        "database": {"embedded": None, "secretRef": {"name": "database"}},
        "inheritedMetadata": None,
        "podTemplate": {"nodeSelector": {"no": "node"}, "tolerations": None},
        "replicas": 0,
    }
    namespace.patch("orderservice", options, {"spec": back})
    namespace.wait(f"statefulset/{options}-postgresql", "delete", 30)
    namespace.patch("orderservice", options, {"spec": {"replicas": 2}})


def _volume_of_root() -> Object:
    """Return a volume that ignores fsGroup, in a folder that its node makes for root alone."""
    return {
        "apiVersion": "v1",
        "kind": "PersistentVolume",
        "metadata": {"name": _CLASS},
        "spec": {
            "storageClassName": _CLASS,
            "capacity": {"storage": "1Gi"},
            "accessModes": ["ReadWriteOnce"],
            "persistentVolumeReclaimPolicy": "Retain",
            "hostPath": {"path": f"/var/local/{uuid.uuid4().hex}", "type": "DirectoryOrCreate"},
        },
    }


def test_a_volume_that_only_root_may_write_is_named(namespace: Namespace) -> None:
    """Degraded names volumePermissions within 120 s; with them the database comes up in 120 s."""
    namespace.apply(_volume_of_root())
    storage = {"className": _CLASS, "size": "1Gi"}
    namespace.apply(order_service("rooted", database={"embedded": {"storage": storage}}))
    named = "database.embedded.volumePermissions"
    namespace.until(
        lambda: named in namespace.condition("rooted", "Degraded").get("message", ""),
        120,
        "the condition names the field",
    )

    change = {"spec": {"database": {"embedded": {"volumePermissions": True}}}}
    namespace.patch("orderservice", "rooted", change)
    namespace.kubectl("delete", "pod", "rooted-postgresql-0")  # one that never was ready stays
    namespace.rolled_out("rooted", 120)
    namespace.kubectl("delete", "orderservice", "rooted")
    namespace.kubectl("delete", "pvc", "data-rooted-postgresql-0")
    namespace.kubectl("delete", "persistentvolume", _CLASS)


def test_the_volume_of_a_database_stays_as_it_is(namespace: Namespace) -> None:
    """A StatefulSet's claims cannot be changed; the resource says so at once."""
    namespace.apply(order_service("small", database={"embedded": {}}, replicas=0))
    change = {"spec": {"database": {"embedded": {"storage": {"size": "2Gi"}}}}}
    with pytest.raises(
        CommandError, match="cannot be changed; delete the database and create it again"
    ):
        namespace.patch("orderservice", "small", change)
    namespace.kubectl("delete", "orderservice", "small")


def test_a_name_that_is_too_long_is_refused(namespace: Namespace) -> None:
    """63 characters are the most; the message says why."""
    with pytest.raises(CommandError, match="at most 63 characters"):
        namespace.apply(order_service("a" * 64))


def test_the_longest_name_works_for_every_child(namespace: Namespace) -> None:
    """With an embedded database and a Service for each track it is Ready within 120 s."""
    name = "a" * 63
    route = {"httpRoute": {"parentRefs": [{"name": "gateway"}]}}
    namespace.apply(order_service(name, database={"embedded": {}}, expose=route))
    namespace.wait(f"orderservice/{name}", "jsonpath={.status.readyReplicas}=1", 120)

    pods = namespace.every("pods", f"app.kubernetes.io/instance={name}")
    services = namespace.every("services", f"app.kubernetes.io/instance={name}")
    assert (2, 4) == (len(pods), len(services))
    namespace.kubectl("delete", "orderservice", name)
