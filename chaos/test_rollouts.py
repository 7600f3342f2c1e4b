"""Whatever is changed, upgraded or rotated: no caller notices."""

from functools import partial
from typing import Final

from chaos.conftest import Serve, Try
from chaos.experiment import Experiment
from chaos.load import Load
from chaos.postgresql import Database
from chaos.shop import Shop
from chaos.sizes import Size
from orders_operator.objects import Object
from tests.e2e.images.otherwise.otherwise import TIMEOUT
from tests.helpers.cluster.kubectl import OPERATOR, Namespace, helm, uids
from tests.helpers.cluster.other_operator import otherwise, reconciled, state, timeouts
from tests.helpers.cluster.release import RELEASE


def test_a_chart_upgrade_fails_no_request(
    release_before: Namespace, calm: str, size: Size, attempt: Try
) -> None:
    """The chart of now, with other values of its OrderService: CRD and pods are new.

    So is the operator, unless there is no release yet and the chart before has the same image. The
    values are this chart's: a release before has been installed by the digests of its images.
    """
    database = Database(release_before, f"statefulset/{RELEASE}-postgresql", "orders", "orders")
    shop = Shop(release_before, RELEASE, database, calm, size)
    before = shop.pods()
    with attempt("chart-upgrade") as it, shop.load(it) as load:
        it.mark("helm upgrade")
        env = '--set-json=podTemplate.env=[{"name": "QUEUE_LIMIT", "value": "4096"}]'
        helm("upgrade", RELEASE, "charts/orders", "--reset-values", "--set=shutdown.delay=1s", env)
        shop.rolled(before)
        it.mark("every pod is new")
        no_request_fails(it, load, size)


def test_an_operator_upgrade_fails_no_request(
    installed: Namespace, shop: Shop, size: Size, attempt: Try
) -> None:
    """Each pod of the operator is replaced; those of the service stay as they are."""
    before, operators = shop.pods(), installed.every("pods", _OPERATORS)
    with attempt("operator-upgrade") as it, shop.load(it) as load:
        it.mark("helm upgrade, with another setting of the operator")
        level = "--set=operator.logLevel=DEBUG"
        helm("upgrade", RELEASE, "charts/orders", "--reuse-values", level)
        installed.kubectl("rollout", "status", f"deployment/{OPERATOR}", "--timeout=120s")
        it.mark("the operator's pods are new")
        shop.namespace.kubectl("delete", "configmap", f"{shop.name}-config")
        shop.namespace.wait(f"configmap/{shop.name}-config", "create", 60)
        it.mark("the new operator has repaired a child")
        it.none("pods of the service replaced", len(uids(before) - uids(shop.pods())))
        no_request_fails(it, load, size)
    assert not uids(operators) & uids(installed.every("pods", _OPERATORS))


def test_an_operator_that_renders_otherwise_replaces_no_pod(
    installed: Namespace, serve: Serve, shop: Shop, attempt: Try
) -> None:
    """Neither an upgrade to it nor one back to ours; only what is declared anew is otherwise."""
    before = state(shop.namespace, shop.name)
    with attempt("operator-otherwise") as it, shop.load(it) as load:
        with otherwise(installed):
            it.mark("operators that render another time-out of probes")
            serve("otherwise", replicas=0)
            made = timeouts(
                shop.namespace.get("deployment", "otherwise")["spec"]["template"]["spec"]
            )
            it.expect("new pods' time-outs", f"{made}", f"{{{TIMEOUT}}}", met=made == {TIMEOUT})
            unchanged(it, shop, before, "by them")
        it.mark("operators as before")
        unchanged(it, shop, before, "by those of before")
        it.none("requests failed", load.stop().failed)


def unchanged(it: Experiment, shop: Shop, before: Object, whom: str) -> None:
    """Expect that the operators have looked at it, and replaced nothing."""
    reconciled(shop.namespace, shop.name)
    it.mark("they have repaired a child")
    now = state(shop.namespace, shop.name)
    it.none(f"pods replaced {whom}", len(before["pods"] - now["pods"]))
    it.none(f"templates changed {whom}", int(before["templates"] != now["templates"]))


def test_a_rolling_update_fails_no_request(shop: Shop, size: Size, attempt: Try) -> None:
    """Every pod is replaced by one with another setting."""
    before = shop.pods()
    with attempt("rolling-update") as it, shop.load(it) as load:
        it.mark("another setting of the pods")
        shop.change(podTemplate={"env": [{"name": "QUEUE_LIMIT", "value": "4096"}]})
        shop.rolled(before)
        it.mark("every pod is new")
        no_request_fails(it, load, size)


def test_a_new_log_level_fails_no_request(shop: Shop, attempt: Try) -> None:
    """Every pod logs by the new level without a restart."""
    before = shop.pods()
    names = [pod["metadata"]["name"] for pod in before]

    def says(level: str) -> bool:
        logs = (shop.namespace.kubectl("logs", name, "--container=orders") for name in names)
        return all(f"the level is now {level}" in log for log in logs)

    with attempt("log-level") as it, shop.load(it) as load:
        for level in ("WARN", "INFO"):
            it.mark(f"the level {level}")
            shop.change(logLevel=level)
            content = f"jsonpath={{.data.log-level}}={level}"
            shop.namespace.wait(f"configmap/{shop.name}-config", content, 15)
            # The kubelet looks at the files of a pod that changed, else within 90 s.
            shop.namespace.kubectl("annotate", "--overwrite", "pods", *names, f"level={level}")
            shop.namespace.until(partial(says, level), 150, f"all log by {level}")
            it.mark(f"every pod logs by {level}")
        it.none("pods replaced", len(uids(before) - uids(shop.pods())))
        it.none("requests failed", load.stop().failed)


_OPERATORS: Final = "app.kubernetes.io/component=operator"


def no_request_fails(it: Experiment, load: Load, size: Size) -> None:
    """Expect that of enough requests none failed."""
    load.reach(size.requests)
    it.none("requests failed", load.stop().failed)
