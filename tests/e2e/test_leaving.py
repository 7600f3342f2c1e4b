"""An embedded database is left: it stays while anybody needs it, and its orders stay for good."""

from typing import Final

import pytest

from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import Namespace, order_service, secret, uids
from tests.helpers.cluster.outside_caller import Caller
from tests.helpers.cluster.postgresql import PostgreSQL

NAME: Final = "leaving"
DATABASE: Final = f"{NAME}-postgresql"
CLAIM: Final = f"data-{DATABASE}-0"
CHILDREN: Final = ("statefulset", "service", "secret", "networkpolicy")
ANOTHER: Final = {"embedded": None, "secretRef": {"name": "another"}}
SECONDS: Final = 60.0


@pytest.fixture(scope="module")
def another(postgresql: PostgreSQL) -> str:
    """Have an empty database elsewhere; its URL."""
    return postgresql.database()


@pytest.fixture(scope="module")
def left(namespace: Namespace, another: str) -> list[str]:
    """Leave the embedded database under load, as slowly as a person may; the orders placed.

    No request fails, and the database is the same until the very last pod that uses it is gone.
    """
    namespace.apply(
        order_service(NAME, database={"embedded": {}}, migrations={"timeout": "2s"}),
    )
    namespace.rolled_out(NAME, 120)
    database, running = _database(namespace), namespace.pods(NAME)
    pods = uids(running)
    with Caller(namespace, NAME) as caller:
        namespace.until(lambda: caller.more(20), 20, "orders are placed")
        namespace.patch("orderservice", NAME, {"spec": {"database": ANOTHER}})
        namespace.wait(f"orderservice/{NAME}", _degraded("SecretMissing"), SECONDS)
        assert database == _database(namespace)

        namespace.apply(secret("another", url=another.replace(":made-up@", ":wrong@")))
        namespace.wait(f"orderservice/{NAME}", _degraded("MigrationFailed"), SECONDS)
        assert database == _database(namespace)
        assert pods <= uids(namespace.pods(NAME))
        assert "retainedClaim" not in _status(namespace)

        namespace.apply(secret("another", url=another))
        for pod in running:  # a pod that drains still writes to the database of before
            namespace.wait(f"pod/{pod['metadata']['name']}", "delete", 120)
        namespace.rolled_out(NAME, SECONDS)
        count = len(caller.placed)
        namespace.until(lambda: caller.more(count + 20), 20, "the caller goes on")
    assert [] == caller.failed
    return caller.placed


@pytest.mark.usefixtures("left")
def test_when_nobody_uses_it_only_its_claim_stays(namespace: Namespace) -> None:
    """Within 60 s the rest is gone, and the status says what a person may delete."""
    for kind in CHILDREN:
        namespace.wait(f"{kind}/{DATABASE}", "delete", SECONDS)
    namespace.wait(f"pod/{DATABASE}-0", "delete", SECONDS)

    assert namespace.exists("pvc", CLAIM)
    delete = f"kubectl delete pvc --namespace {namespace.name} {CLAIM}"
    namespace.wait(f"orderservice/{NAME}", "jsonpath={.status.retainedClaim}", 15)
    assert {"name": CLAIM, "deleteWith": delete} == _status(namespace)["retainedClaim"]


def test_declared_again_it_takes_up_the_claim(
    namespace: Namespace, left: list[str], postgresql: PostgreSQL, another: str
) -> None:
    """The orders of before are in it, those of meanwhile elsewhere, and each is in one of both."""
    claim = namespace.get("pvc", CLAIM)["metadata"]["uid"]
    embedded: Object = {"embedded": {}, "secretRef": None}
    namespace.patch("orderservice", NAME, {"spec": {"database": embedded}})
    namespace.wait(f"pod/{DATABASE}-0", "create", 30)
    namespace.wait(f"pod/{DATABASE}-0", "condition=Ready", 90)
    told = namespace.kubectl(
        "exec", f"{DATABASE}-0", "--", "psql", "-U", "orders", "-XAtqc", "SELECT id FROM orders"
    )
    old = told.split()
    new = postgresql.sql("SELECT id FROM orders", another.rpartition("/")[2]).split()

    assert sorted(left) == sorted([*old, *new])
    assert old
    assert new
    assert claim == namespace.get("pvc", CLAIM)["metadata"]["uid"]
    namespace.rolled_out(NAME, 90)
    proxy = f"/api/v1/namespaces/{namespace.name}/services/{NAME}:http/proxy/orders/{old[0]}"
    assert old[0] in namespace.kubectl("get", "--raw", proxy)
    assert "retainedClaim" not in _status(namespace)


@pytest.mark.usefixtures("left")
def test_a_claim_outlives_its_order_service(namespace: Namespace) -> None:
    """Deleted it leaves the claim; made anew with the same name it has the orders again."""
    claim = namespace.get("pvc", CLAIM)["metadata"]["uid"]
    namespace.kubectl("delete", "orderservice", NAME, "--timeout=60s")
    namespace.wait(f"pod/{DATABASE}-0", "delete", 90)
    assert "Bound" == namespace.get("pvc", CLAIM)["status"]["phase"]

    namespace.apply(order_service(NAME, database={"embedded": {}}))
    namespace.rolled_out(NAME, 120)
    proxy = f"/api/v1/namespaces/{namespace.name}/services/{NAME}:http/proxy/orders?limit=1"
    assert '"id"' in namespace.kubectl("get", "--raw", proxy)
    assert claim == namespace.get("pvc", CLAIM)["metadata"]["uid"]


def test_a_claim_that_nobody_wants_goes_along(namespace: Namespace) -> None:
    """With `retention: Delete` it is deleted with the OrderService, within 60 s."""
    embedded = {"embedded": {"retention": "Delete"}}
    namespace.apply(order_service("brief", replicas=0, database=embedded))
    namespace.wait("pod/brief-postgresql-0", "create", 30)
    namespace.wait("pod/brief-postgresql-0", "condition=Ready", 90)
    assert namespace.exists("pvc", "data-brief-postgresql-0")

    namespace.kubectl("delete", "orderservice", "brief", "--timeout=60s")
    namespace.wait("pvc/data-brief-postgresql-0", "delete", SECONDS)


def _degraded(reason: str) -> str:
    return f"jsonpath={{.status.conditions[?(@.type=='Degraded')].reason}}={reason}"


def _database(namespace: Namespace) -> set[str]:
    """Return who the children of the embedded database are, and its pod."""
    kinds = (*CHILDREN, "pod")
    names = [DATABASE] * len(CHILDREN) + [f"{DATABASE}-0"]
    found = (namespace.get(kind, name) for kind, name in zip(kinds, names, strict=True))
    return {it["metadata"]["uid"] for it in found}


def _status(namespace: Namespace) -> Object:
    found: Object = namespace.get("orderservice", NAME)["status"]
    return found
