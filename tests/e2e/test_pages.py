"""The shell blocks of the Kubernetes pages, pasted into a shell in a namespace.

What a block needs is there before it, as the page says; what it does is looked at afterwards.
What a page writes and this cluster lacks is named beside the block: `instead`. Blocks that change
the release are pasted by the tests that change it.
"""

import json
from typing import Final

import pytest
import yaml

from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import Namespace, order_service, run, uids
from tests.helpers.cluster.page_reader import Reader
from tests.helpers.cluster.postgresql import PostgreSQL
from tests.helpers.page_blocks import block

pytestmark = pytest.mark.starts_early(seconds=130)

KUBERNETES: Final = "docs/kubernetes.md"
ROLLOUTS: Final = "docs/rollouts.md"
PLUGIN: Final = "docs/kubectl.md"
GITOPS: Final = "docs/gitops.md"
ORDERS: Final = "orders"
STOCK: Final = "stock"
URL: Final = "postgresql://..."
SHORTER: Final = {"--rate 200 --duration 5m": "--rate 20 --duration 3s"}
AN_OPERATOR_IS_THERE: Final = {
    "install orders charts/orders": (
        "install orders charts/orders --set operator.enabled=false,crds.upgrade=false"
    )
}
CANARY: Final = {
    "rollout": {"strategy": "Canary", "canary": {"steps": [{"weight": 50, "duration": "1h"}]}}
}


@pytest.fixture(scope="module")
def reader(namespace: Namespace, tmp_path_factory: pytest.TempPathFactory) -> Reader:
    """Have somebody who works in the namespace; NAME is the service `stock`."""
    return Reader(namespace.name, tmp_path_factory.mktemp("checkout"), NAME=STOCK)


def listed(namespace: Namespace, service: str) -> set[str]:
    """Return the ids of the orders that a service lists first."""
    proxy = f"/api/v1/namespaces/{namespace.name}/services/{service}:http/proxy/orders"
    return {order["id"] for order in json.loads(run("kubectl", "get", "--raw", proxy))}


def test_two_services_are_declared(
    namespace: Namespace, reader: Reader, postgresql: PostgreSQL
) -> None:
    """One by kubectl with a PostgreSQL of its own, one by Helm with a Secret; both get ready."""
    declared = reader.paste(block(KUBERNETES, "kubectl apply -f - <<END"))
    reader.paste(
        block(KUBERNETES, "kubectl create secret generic orders-database"),
        AN_OPERATOR_IS_THERE | {URL: postgresql.database()},
    )

    assert STOCK in declared
    namespace.rolled_out(STOCK, 120)
    namespace.rolled_out(ORDERS, 90)
    assert not namespace.exists("statefulset", f"{ORDERS}-postgresql")


def test_children_are_found_by_the_name(reader: Reader) -> None:
    """The label has it, whatever the children are called."""
    found = reader.paste(block(KUBERNETES, "kubectl get services,statefulsets,pvc"))

    for child in ("service/stock", "statefulset.apps/stock-postgresql", "data-stock-postgresql-0"):
        assert child in found


def test_a_load_is_reported(namespace: Namespace, reader: Reader) -> None:
    """It succeeds, and under the restricted standard too, which refuses the shorter command."""
    shorter = block(KUBERNETES, "kubectl run load --rm")
    longer = block(KUBERNETES, "kubectl run load --override-type=strategic")
    for text in (shorter, longer):
        reader.paste(text, SHORTER)
        report = json.loads((reader.folder / "report.json").read_text())
        assert (60, 0) == (report["succeeded"], report["failed"])
        if text == shorter:
            reader.paste(block(KUBERNETES, "kubectl label namespace NAMESPACE"))
    with pytest.raises(AssertionError, match="violates PodSecurity"):
        reader.paste(shorter, SHORTER)
    assert set() != listed(namespace, ORDERS)


def test_a_rollout_is_controlled_and_shown(namespace: Namespace, reader: Reader) -> None:
    """A restart is a canary: its state, its logs and a load are shown until it is promoted."""
    there = {"-n shop": f"-n {namespace.name}"}
    before = uids(namespace.pods(ORDERS))
    namespace.patch("orderservice", ORDERS, {"spec": CANARY})
    told = reader.paste(block(PLUGIN, "kubectl orders restart"), there)
    assert "a new revision of the same spec" in told
    reader.paste(block(ROLLOUTS, "kubectl orders restart NAME"), NAME=ORDERS)
    phase = "jsonpath={.status.rollout.settledAt}"
    namespace.wait(f"orderservice/{ORDERS}", phase, 60)

    assert "Canary" in reader.paste(block(ROLLOUTS, "kubectl get orderservice NAME "), NAME=ORDERS)
    shown = reader.paste(block(PLUGIN, "kubectl orders status"), there)
    assert STOCK in shown
    assert f"{namespace.name}/{ORDERS}  Canary  step 1 of 1  50 % of requests" in shown
    loaded = reader.paste(
        block(PLUGIN, "kubectl orders load"), there | {"--duration 5m": "--duration 3s"}
    )
    assert "3s of 3s  ended" in loaded
    reader.follow(block(PLUGIN, "kubectl orders logs"), "POST /orders 201")

    namespace.annotate(ORDERS, promote=namespace.rollout(ORDERS)["revision"])
    ended = reader.paste(
        block(ROLLOUTS, "kubectl wait --for=condition=Reconciling=false"), NAME=ORDERS
    )
    assert ended.endswith("False")
    assert "Nothing is stalled." in reader.paste(block(GITOPS, "kubectl wait"), NAME=ORDERS)
    assert not before & uids(namespace.pods(ORDERS))


def test_a_caller_is_named(reader: Reader) -> None:
    """The API server takes the patch of README."""
    *_, patch = block("README.md", "orders keys new").splitlines()

    assert "patched" in reader.paste(patch, {"--type=merge": "--type=merge --dry-run=server"})


def test_old_orders_are_purged(reader: Reader) -> None:
    """A pod counts them, and deletes them."""
    purged = reader.paste(block("docs/postgresql.md", "kubectl exec deployment/orders"))

    none = "0 orders and 0 idempotency keys"
    assert f": {none}; add --delete to delete them" in purged
    assert "deleted, older than" in purged


def test_orders_move_to_another_database(
    namespace: Namespace, reader: Reader, postgresql: PostgreSQL
) -> None:
    """All of them; the claim with the old ones stays until a person deletes it."""
    namespace.kubectl(
        "exec", f"deployment/{STOCK}", "--", "orders", "smoke", "http://127.0.0.1:8000"
    )
    before = listed(namespace, STOCK)
    url = postgresql.database()
    shown = reader.paste(
        block(KUBERNETES, "kubectl patch orderservice NAME"),
        {
            # This machine is outside of the cluster's network.
            f"psql '{URL}'": postgresql.psql(url),
            URL: url,
            "orders-database": "stock-database",
        },
    )
    namespace.rolled_out(STOCK, 120)

    assert f"{namespace.name}/{STOCK}" in shown
    assert set() != before == listed(namespace, STOCK)
    namespace.wait(f"pod/{STOCK}-postgresql-0", "delete", 60)
    claims = block(KUBERNETES, "kubectl get pvc --all-namespaces")
    assert f"data-{STOCK}-postgresql-0" in reader.paste(claims)
    reader.paste(block(KUBERNETES, "kubectl delete pvc data-NAME-postgresql-0"))
    assert f"data-{STOCK}-postgresql-0" not in reader.paste(claims)


def test_what_is_wrong_is_shown(reader: Reader) -> None:
    """A list of all, and one with its conditions, its Events and its rollout."""
    shown = reader.paste(block(KUBERNETES, "kubectl get orderservices --all-namespaces"))

    assert {"Stalled", "Degraded"} <= set(shown.split())
    assert f"{STOCK}  Stable" in shown


def test_a_key_for_a_caller_is_made(namespace: Namespace, reader: Reader) -> None:
    """The key is shown, and only its line is in the Secret."""
    [key, *_] = reader.paste(block(KUBERNETES, "docker run --rm --log-driver=none")).splitlines()

    kept = (reader.folder / "keys").read_text()
    assert key.startswith("orders_")
    assert kept.startswith("checkout sha256:")
    assert key not in kept
    assert namespace.exists("secret", "callers")


def test_the_operators_rights_and_leases_are_shown(reader: Reader) -> None:
    """It works in the whole cluster, as the Lease in `default` says."""
    may = block(KUBERNETES, "kubectl auth can-i list secrets")
    assert "yes" in reader.paste(may, NAMESPACE="default").split()
    leases = reader.paste(block(KUBERNETES, "kubectl get leases"))
    assert "default/orders-operator/" in leases


def test_policies_are_seen_to_be_enforced(reader: Reader) -> None:
    """The check tells it, and leaves nothing."""
    told = reader.paste(block(KUBERNETES, "kubectl create namespace check"))

    assert "Policies are enforced." in told
    assert "NOT" not in told
    assert "refused" in told or "timed out" in told or "timeout" in told


def test_argo_cd_is_told_what_health_is(reader: Reader) -> None:
    """Its ConfigMap gets the key; what Argo CD makes of it is tested without a cluster."""
    argocd = Namespace("argocd")
    run("kubectl", "create", "namespace", argocd.name)
    try:
        argocd.kubectl("create", "configmap", "argocd-cm")
        reader.paste(block(GITOPS, "kubectl --namespace argocd patch configmap"))
        data = argocd.get("configmap", "argocd-cm")["data"]
    finally:
        run("kubectl", "delete", "namespace", argocd.name, "--wait=false")

    assert {"resource.customizations.health.orders.dev_OrderService"} == set(data)


def test_children_are_restored_before_their_service(namespace: Namespace, reader: Reader) -> None:
    """It takes them up; nothing has another owner, and nothing is refused."""
    kinds = "deployments,services,configmaps,secrets,serviceaccounts"
    label = f"app.kubernetes.io/instance={ORDERS},app.kubernetes.io/managed-by=orders-operator"
    saved = [plain(it) for it in namespace.every(kinds, label)]
    service = namespace.get("orderservice", ORDERS)
    (reader.folder / "children.yaml").write_text(yaml.dump_all(saved))
    namespace.kubectl("delete", "orderservice", ORDERS)
    namespace.until(lambda: not namespace.every(kinds, label), 60, "its children are gone")

    reader.paste(block(KUBERNETES, "kubectl apply --server-side"))
    restored = uids(namespace.every(kinds, label))
    namespace.apply(order_service(ORDERS) | {"spec": service["spec"]})
    namespace.rolled_out(ORDERS, 90)

    owned = namespace.every(kinds, label)
    assert len(saved) == len(restored) > 3
    assert restored == uids(owned)
    assert all("ownerReferences" in it["metadata"] for it in owned)


def plain(child: Object) -> Object:
    """Return an object as the page says to restore it."""
    drop = {"uid", "resourceVersion", "ownerReferences", "managedFields", "creationTimestamp"}
    metadata = {name: it for name, it in child["metadata"].items() if name not in drop}
    return {name: it for name, it in child.items() if name != "status"} | {"metadata": metadata}
