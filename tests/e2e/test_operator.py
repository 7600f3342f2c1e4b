"""The operator itself: who leads, what it costs, and that nobody depends on it."""

import json
import re
import time
from functools import partial

import pytest

from orders_operator.objects import Object
from orders_operator.scopes import CLUSTER_LEASE
from tests.e2e.conftest import Installed
from tests.helpers.cluster.kubectl import (
    OPERATOR,
    CommandError,
    Namespace,
    helm,
    order_service,
    run,
    secret,
    uids,
)
from tests.helpers.cluster.postgresql import PostgreSQL
from tests.helpers.cluster.release import RELEASE, SECOND, logged, second_operator

pytestmark = pytest.mark.usefixtures("operator_away")

LEADS_WITHIN = 20.0
MEMORY_MB = 100.0


def _leader(default: Namespace) -> str:
    return str(default.get("lease", OPERATOR)["spec"].get("holderIdentity") or "")


def _operators(default: Namespace) -> list[Object]:
    return default.every("pods", "app.kubernetes.io/component=operator")


def test_another_operator_takes_over_within_20_seconds(
    installed: Installed, namespace: Namespace
) -> None:
    """The leader is killed without a word; a change is acted upon within 20 s."""
    default = installed.namespace
    pods = [it["metadata"]["name"] for it in _operators(default)]
    leader = next(name for name in pods if name in _leader(default))
    assert 2 == len(pods)

    default.kubectl("delete", "pod", leader, "--grace-period=0", "--force")
    killed = time.monotonic()
    namespace.apply(order_service("after", replicas=0))
    namespace.wait("deployment/after", "create", LEADS_WITHIN)

    assert time.monotonic() - killed < LEADS_WITHIN
    assert leader not in _leader(default)
    default.kubectl("rollout", "status", f"deployment/{OPERATOR}", "--timeout=60s")


def test_a_new_operator_does_not_roll_the_pods(
    installed: Installed, namespace: Namespace, service: str
) -> None:
    """The operator's pods are replaced within 90 s, as by an upgrade; the service's stay."""
    default = installed.namespace
    before = uids(namespace.pods(service))
    generation = namespace.get("deployment", service)["metadata"]["generation"]
    default.kubectl("rollout", "restart", f"deployment/{OPERATOR}")
    default.kubectl("rollout", "status", f"deployment/{OPERATOR}", "--timeout=90s")
    # Whoever leads now reconciles: a label of a child is repaired.
    namespace.kubectl("label", "--overwrite", "service", service, "app.kubernetes.io/part-of=x")
    repaired = "jsonpath={.metadata.labels.app\\.kubernetes\\.io/part-of}=orders"
    namespace.wait(f"service/{service}", repaired, 60)

    assert generation == namespace.get("deployment", service)["metadata"]["generation"]
    assert before == uids(namespace.pods(service))


def test_a_hundred_services_cost_less_than_100_mb(
    installed: Installed, namespace: Namespace
) -> None:
    """All are reconciled within 240 s; the leader then has less than 100 MB."""
    default = installed.namespace
    names = [f"many-{number}" for number in range(100)]
    namespace.apply(*(order_service(name, replicas=0) for name in names))
    namespace.kubectl(
        "wait", "--for=condition=Ready", *(f"orderservice/{name}" for name in names),
        "--timeout=240s", limit=260,
    )  # fmt: skip

    pods = _operators(default)
    leader = next(
        it["metadata"]["name"] for it in pods if it["metadata"]["name"] in _leader(default)
    )
    path = f"/api/v1/namespaces/default/pods/{leader}:2121/proxy/metrics"
    metrics = run("kubectl", "get", "--raw", path)
    found = re.search(r"^process_resident_memory_bytes (\S+)$", metrics, re.MULTILINE)
    assert found is not None
    megabytes = float(found[1]) / 1e6
    print(f"the operator has {megabytes:.0f} MB with 100 OrderServices")  # noqa: T201
    assert megabytes < MEMORY_MB
    assert [0] * len(pods) == [it["status"]["containerStatuses"][0]["restartCount"] for it in pods]
    namespace.kubectl("delete", "orderservices", "--all", "--wait=false")


def test_without_the_operator_pods_serve_and_resources_go(
    installed: Installed, namespace: Namespace, postgresql: PostgreSQL
) -> None:
    """Scaled away: an OrderService serves on, it and a whole namespace are deleted within 60 s."""
    default = installed.namespace
    namespace.apply(order_service("orphan"))
    namespace.rolled_out("orphan", 90)
    other = Namespace(f"{namespace.name}-gone")
    run("kubectl", "create", "namespace", other.name)
    other.apply(secret("database", url=postgresql.database()), order_service("gone", replicas=0))
    other.wait("deployment/gone", "create", 15)
    before = uids(namespace.pods("orphan"))
    default.kubectl("scale", f"deployment/{OPERATOR}", "--replicas=0")
    default.until(lambda: not _operators(default), 60, "no operator")
    try:
        proxy = f"/api/v1/namespaces/{namespace.name}/services/orphan:http/proxy/orders"
        assert isinstance(json.loads(namespace.kubectl("get", "--raw", proxy)), list)
        assert before == uids(namespace.pods("orphan"))

        namespace.kubectl("delete", "orderservice", "orphan", "--timeout=60s")
        namespace.wait("deployment/orphan", "delete", 60)
        run("kubectl", "delete", "namespace", other.name, "--timeout=60s")
    finally:
        default.kubectl("scale", f"deployment/{OPERATOR}", "--replicas=2")
        default.kubectl("rollout", "status", f"deployment/{OPERATOR}", "--timeout=90s")


def test_what_changed_meanwhile_is_done_when_it_is_back(namespace: Namespace) -> None:
    """An OrderService made while there is no operator has its Deployment 60 s after it is back."""
    default = Namespace("default")
    default.kubectl("scale", f"deployment/{OPERATOR}", "--replicas=0")
    default.until(lambda: not _operators(default), 60, "no operator")
    namespace.apply(order_service("meanwhile", replicas=0))
    default.kubectl("scale", f"deployment/{OPERATOR}", "--replicas=2")

    namespace.wait("deployment/meanwhile", "create", 60)


def test_in_namespaced_mode_it_sees_its_namespaces_only(
    namespace: Namespace, postgresql: PostgreSQL
) -> None:
    """It reads Secrets of no other; one that is deleted takes nothing else along. 60 s each."""
    default, gone = Namespace("default"), Namespace(f"{namespace.name}-left")
    run("kubectl", "create", "namespace", gone.name)
    watched = f"operator.watchNamespaces={{default,{namespace.name},{gone.name}}}"
    helm("upgrade", RELEASE, "charts/orders", "--reuse-values", f"--set={watched}")
    try:
        default.kubectl("rollout", "status", f"deployment/{OPERATOR}", "--timeout=90s")
        account = f"--as=system:serviceaccount:default:{OPERATOR}"
        may = ("kubectl", "auth", "can-i", "list", "secrets", account)
        assert "yes" == run(*may, f"--namespace={namespace.name}").strip()
        with pytest.raises(CommandError):
            run(*may, "--all-namespaces")
        gone.apply(secret("database", url=postgresql.database()))
        gone.apply(order_service("left", replicas=0))
        gone.wait("deployment/left", "create", 60)

        run("kubectl", "delete", "namespace", gone.name, "--timeout=60s")
        namespace.apply(order_service("stays", replicas=0))
        namespace.wait("deployment/stays", "create", 60)
        # The watches end a moment after the rights do; what comes after must be seen as well.
        seen = partial(logged, default, f"namespace {gone.name} is left out")
        default.until(seen, 60, "the namespace is left out")
        namespace.apply(order_service("later", replicas=0))
        namespace.wait("deployment/later", "create", 60)
        assert {0} == {
            it["status"]["containerStatuses"][0]["restartCount"] for it in _operators(default)
        }
    finally:
        every = "--set-json=operator.watchNamespaces=[]"
        helm("upgrade", RELEASE, "charts/orders", "--reuse-values", every)
        default.kubectl("rollout", "status", f"deployment/{OPERATOR}", "--timeout=90s")


def test_a_second_operator_of_the_cluster_waits(
    installed: Installed, namespace: Namespace
) -> None:
    """Within 60 s it says who works; it is not ready, and the first one goes on."""
    first = f"default/{OPERATOR}"
    with second_operator(namespace):
        said = f"the Lease default/{CLUSTER_LEASE} is held by {first}"
        namespace.until(partial(logged, namespace, said), 60, "it says who works")
        [pod] = _operators(namespace)
        [ready] = [it["status"] for it in pod["status"]["conditions"] if it["type"] == "Ready"]
        assert "False" == ready
        namespace.apply(order_service("first-goes-on", replicas=0))
        namespace.wait("deployment/first-goes-on", "create", 30)
        lease = installed.namespace.get("lease", CLUSTER_LEASE)
        assert lease["spec"]["holderIdentity"].startswith(f"{first}/")


def test_an_operator_of_a_namespace_takes_that_out(namespace: Namespace) -> None:
    """It works there within 60 s, beside that of the cluster, which goes on when it is gone."""
    namespace.apply(order_service("taken-out", replicas=0))
    namespace.wait("deployment/taken-out", "create", 30)
    with second_operator(namespace, f"operator.watchNamespaces={{{namespace.name}}}"):
        namespace.wait(f"deployment/{SECOND}-orders-operator", "condition=Available", 60)
        left = f"namespace {namespace.name} is left to {namespace.name}/{SECOND}-orders-operator"
        default = Namespace("default")
        default.until(partial(logged, default, left), 60, "the one of the cluster leaves it")
        namespace.kubectl("delete", "deployment", "taken-out")
        namespace.wait("deployment/taken-out", "create", 60)
    namespace.kubectl("delete", "deployment", "taken-out")
    namespace.wait("deployment/taken-out", "create", 60)


def test_the_rights_of_the_operator_are_few() -> None:
    """No wildcard, and no right to what it does not need."""
    account = f"--as=system:serviceaccount:default:{OPERATOR}"

    def may(*what: str) -> bool:
        done = run("sh", "-c", f"kubectl auth can-i {' '.join(what)} {account} || true")
        return done.strip() == "yes"

    assert may("patch", "deployments.apps", "--all-namespaces")
    assert not may("'*'", "'*'")
    for what in (
        "create pods",
        "delete namespaces",
        "get nodes",
        "escalate roles",
        "create pods/exec",
    ):
        assert not may(*what.split(), "--all-namespaces"), what
