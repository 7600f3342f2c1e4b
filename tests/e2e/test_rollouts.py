"""What rolls the pods and what does not; and that nobody notices."""

from typing import Final

import pytest

from orders.store.schema import REQUIRED_VERSION
from tests.helpers.cluster.kubectl import Namespace, order_service, secret, uids
from tests.helpers.cluster.outside_caller import Caller
from tests.helpers.cluster.postgresql import PostgreSQL

pytestmark = pytest.mark.starts_early(seconds=130)

ROLLED: Final = "jsonpath={.status.conditions[?(@.type=='Progressing')].reason}=RolledOut"


@pytest.fixture(scope="module")
def rolled(namespace: Namespace) -> str:
    """Have an OrderService with two pods ready."""
    namespace.apply(order_service("rolled", replicas=2, shutdown={"delay": "2s"}))
    namespace.rolled_out("rolled", 90)
    return "rolled"


def _hash(namespace: Namespace, name: str) -> str:
    template = namespace.get("deployment", name)["spec"]["template"]
    return str(template["metadata"]["annotations"]["orders.dev/config-hash"])


def test_a_rollout_fails_no_request(namespace: Namespace, rolled: str) -> None:
    """All pods are replaced within 120 s while orders are placed: none fails, none is lost."""
    before = uids(namespace.pods(rolled))
    with Caller(namespace, rolled) as caller:
        env = [{"name": "REQUEST_TIMEOUT", "value": "6s"}]
        namespace.patch("orderservice", rolled, {"spec": {"podTemplate": {"env": env}}})
        namespace.replaced(rolled, before, 120)
        namespace.rolled_out(rolled, 60)
        count = len(caller.placed)
        namespace.until(lambda: caller.more(count + 50), 20, "the caller goes on")

    assert [] == caller.failed
    assert len(caller.placed) == len(set(caller.placed))


def test_a_new_secret_rolls_the_pods(
    namespace: Namespace, rolled: str, postgresql: PostgreSQL
) -> None:
    """The Secret changes: within 15 s the pods begin to roll, within 90 s all are new."""
    before, old = uids(namespace.pods(rolled)), _hash(namespace, rolled)
    url = postgresql.database()
    namespace.apply(secret("database", url=url))

    namespace.until(lambda: _hash(namespace, rolled) != old, 15, "the pods' hash is another")
    namespace.replaced(rolled, before, 90)
    namespace.wait(f"orderservice/{rolled}", ROLLED, 60)
    applied = postgresql.sql("SELECT max(version) FROM orders_migrations", url.rpartition("/")[2])
    assert str(REQUIRED_VERSION) == applied


def test_what_does_not_concern_the_pods_does_not_roll_them(
    namespace: Namespace, rolled: str
) -> None:
    """Another Secret, labels, the log level, monitoring: generation and pods stay the same."""
    generation = namespace.get("deployment", rolled)["metadata"]["generation"]
    before = uids(namespace.pods(rolled))
    namespace.apply(secret("unrelated", key="value"))
    namespace.kubectl("label", "orderservice", rolled, "team=shop")
    spec = {"logLevel": "WARN", "monitoring": {"interval": "30s"}, "disruptionBudget": {}}
    namespace.patch("orderservice", rolled, {"spec": spec})
    namespace.wait(f"configmap/{rolled}-config", "jsonpath={.data.log-level}=WARN", 15)
    namespace.rolled_out(rolled, 15)

    assert generation == namespace.get("deployment", rolled)["metadata"]["generation"]
    assert before == uids(namespace.pods(rolled))


def test_the_log_level_changes_without_a_restart(namespace: Namespace, rolled: str) -> None:
    """What was declared above is in force in each pod within 120 s, when the kubelet brings it."""
    before = uids(namespace.pods(rolled))
    pod = namespace.pods(rolled)[0]["metadata"]["name"]

    def log() -> str:
        return namespace.kubectl("logs", pod, "--container=orders")

    namespace.until(lambda: "the level is now WARN" in log(), 120, "the pod knows")
    assert before == uids(namespace.pods(rolled))
