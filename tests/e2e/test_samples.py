"""Every sample of k8s/samples works as it is."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from orders_operator.objects import Object
from tests.helpers.cluster.credentials import Certificates, new_key, store_keys
from tests.helpers.cluster.kubectl import SAMPLES, Namespace, restrict, run, secret, uids
from tests.helpers.cluster.plugin import orders
from tests.helpers.cluster.postgresql import PostgreSQL

pytestmark = pytest.mark.starts_early(seconds=120)

SHOP = Namespace("shop")


def sample(name: str) -> list[Object]:
    """Return a sample's objects."""
    return list(yaml.safe_load_all((SAMPLES / f"{name}.yaml").read_text()))


@pytest.fixture(scope="module", autouse=True)
def _restricted(namespace: Namespace) -> None:
    """Have every sample run where the restricted Pod Security Standard is enforced."""
    restrict(namespace.name)


@pytest.mark.parametrize("name", ["minimal", "traced"])
def test_a_sample_with_its_own_database_gets_ready_in_90_seconds(
    namespace: Namespace, name: str
) -> None:
    """Applied, it is Ready within 90 s; deleted, its children go within 60 s."""
    namespace.kubectl("apply", "-f", str(SAMPLES / f"{name}.yaml"))
    namespace.rolled_out(name, 90)

    namespace.kubectl("delete", "orderservice", name)
    namespace.wait(f"statefulset/{name}-postgresql", "delete", 60)
    namespace.wait(f"deployment/{name}", "delete", 60)


def test_the_placed_sample_has_what_it_declares_in_every_pod_and_child(
    namespace: Namespace,
) -> None:
    """It is Ready within 90 s; its labels select every child, its node selector every pod."""
    namespace.kubectl("apply", "-f", str(SAMPLES / "placed.yaml"))
    namespace.rolled_out("placed", 90)

    kinds = "pods,deployments,statefulsets,services,secrets,configmaps,networkpolicies"
    every = namespace.every(kinds, "app.kubernetes.io/instance=placed")
    named = namespace.every(kinds, "app.kubernetes.io/instance=placed,team=shop")
    assert 10 < len(every)
    assert uids(every) == uids(named)
    pods = [it for it in every if it["kind"] == "Pod"]
    assert 3 == len(pods)
    for pod in pods:
        assert {"kubernetes.io/os": "linux"} == pod["spec"]["nodeSelector"]
        assert "shop@example.com" == pod["metadata"]["annotations"]["contact"]
        assert "node.example.com/spot" in {it.get("key") for it in pod["spec"]["tolerations"]}
    namespace.kubectl("delete", "orderservice", "placed")


def test_the_highly_available_sample_is_scaled_by_its_autoscaler(
    namespace: Namespace, postgresql: PostgreSQL
) -> None:
    """With the Secret that it names it has its three pods within 120 s, on two nodes."""
    namespace.apply(secret("orders-database", url=postgresql.database()))
    namespace.kubectl("apply", "-f", str(SAMPLES / "highly-available.yaml"))

    namespace.wait("orderservice/highly-available", "jsonpath={.status.readyReplicas}=3", 120)
    namespace.rolled_out("highly-available", 60)
    nodes = {pod["spec"]["nodeName"] for pod in namespace.pods("highly-available")}
    assert 1 < len(nodes)
    namespace.kubectl("delete", "orderservice", "highly-available")


def test_the_canary_sample_gets_ready(namespace: Namespace, postgresql: PostgreSQL) -> None:
    """With the Secret that it names it is Ready within 90 s; its first revision has no canary."""
    namespace.apply(secret("orders-database", url=postgresql.database()))
    namespace.kubectl("apply", "-f", str(SAMPLES / "canary.yaml"))

    namespace.rolled_out("canary", 90)
    assert "Stable" == namespace.rollout("canary")["phase"]
    namespace.kubectl("delete", "orderservice", "canary")


def test_the_cloudnative_pg_sample_waits_for_its_secret(
    namespace: Namespace, postgresql: PostgreSQL
) -> None:
    """Without the cluster's Secret it says so within 20 s; with it, it is Ready within 60 s."""
    namespace.kubectl("apply", "-f", str(SAMPLES / "cloudnative-pg.yaml"))
    wanted = "jsonpath={.status.conditions[?(@.type=='Degraded')].reason}=SecretMissing"
    namespace.wait("orderservice/cloudnative-pg", wanted, 20)
    assert not namespace.exists("deployment", "cloudnative-pg")

    namespace.apply(secret("orders-db-app", uri=postgresql.database()))
    namespace.rolled_out("cloudnative-pg", 60)
    namespace.kubectl("delete", "orderservice", "cloudnative-pg")


def test_the_guarded_sample_waits_for_its_secrets(namespace: Namespace, tmp_path: Path) -> None:
    """It says what is missing within 20 s; with both it is Ready in 90 s, and a key may call."""
    namespace.kubectl("apply", "-f", str(SAMPLES / "guarded.yaml"))
    namespace.told("guarded", "Secret callers does not exist", 20)
    assert not namespace.exists("deployment", "guarded")

    made = new_key("checkout", "orders:read", "orders:write")
    store_keys(namespace, "callers", made)
    Certificates(tmp_path, f"guarded.{namespace.name}.svc").store(namespace, "guarded-tls")
    namespace.rolled_out("guarded", 90)
    key = tmp_path / "key"
    key.write_text(made.text)
    flags = ("-n", namespace.name, "--duration", "1s", "--rate", "20")
    with_key = orders("load", "guarded", *flags, "--api-key-file", str(key), "-o", "json")
    assert (20, 0) == tuple(json.loads(with_key.out)[it] for it in ("succeeded", "failed"))
    without = orders("load", "guarded", *flags, "-o", "json")
    assert {"401": 20} == json.loads(without.out)["statuses"]
    namespace.kubectl("delete", "orderservice", "guarded")


@pytest.fixture
def shop() -> Iterator[Namespace]:
    """The sample's own namespace."""
    yield SHOP
    run("kubectl", "delete", "namespace", SHOP.name, "--wait=false")


def test_the_namespaced_sample_runs_under_the_restricted_standard(
    namespace: Namespace,  # noqa: ARG001  the operator
    shop: Namespace,
    postgresql: PostgreSQL,
) -> None:
    """In a namespace that enforces `restricted` it is Ready within 90 s; nothing is refused."""
    run("kubectl", "apply", "-f", str(SAMPLES / "namespaced.yaml"))
    shop.apply(secret("orders-database", url=postgresql.database()))
    shop.rolled_out("orders", 90)

    labels = shop.get("namespace", "shop")["metadata"]["labels"]
    assert "restricted" == labels["pod-security.kubernetes.io/enforce"]
    assert 1 == len(shop.every("pods"))
    assert shop.exists("ingress", "orders")
    told = [it.get("message", "") for it in shop.every("events")]
    assert [] == [message for message in told if "PodSecurity" in message]


def test_no_sample_is_forgotten() -> None:
    """Each file of the folder has a test above."""
    own = {"minimal", "traced", "placed"}
    tested = {*own, "highly-available", "canary", "cloudnative-pg", "namespaced", "guarded"}
    assert tested == {path.stem for path in SAMPLES.glob("*.yaml")}
    assert 2 == len(sample("namespaced"))
