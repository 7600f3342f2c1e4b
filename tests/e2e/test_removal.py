"""What is left when the chart goes: all when asked, nothing when not. The last of the tests."""

import json

from tests.e2e.cluster import CommandError, Namespace, helm, run, uids
from tests.e2e.conftest import Installed
from tests.e2e.release import RELEASE

CRD = "orderservices.orders.dev"
DEFAULT = Namespace("default")


def _is_crd_there() -> bool:
    return bool(run("kubectl", "get", "crd", CRD, "--ignore-not-found", "-o", "name"))


def test_an_uninstall_keeps_the_orders_when_asked(installed: Installed) -> None:
    """With orderService.keep the resource, its pods and orders stay; the CRD stays as it does."""
    default = installed.namespace
    helm("upgrade", "--install", RELEASE, "charts/orders", "--set=orderService.keep=true")
    default.wait(f"orderservice/{RELEASE}", "condition=Ready", 90)
    helm("test", RELEASE)
    before = uids(default.pods(RELEASE))

    helm("uninstall", RELEASE, "--wait")

    assert _is_crd_there()
    assert default.exists("orderservice", RELEASE)
    assert before == uids(default.pods(RELEASE))
    proxy = f"/api/v1/namespaces/default/services/{RELEASE}:http/proxy/orders"
    assert 1 <= len(json.loads(default.kubectl("get", "--raw", proxy)))


def test_what_was_kept_is_taken_up_again(installed: Installed) -> None:
    """Installed again over what was kept: the same pods, Ready within 90 s."""
    default = installed.namespace
    before = uids(default.pods(RELEASE))
    helm("install", RELEASE, "charts/orders", "--set=orderService.keep=true", "--take-ownership")
    default.wait(f"orderservice/{RELEASE}", "condition=Ready", 90)

    assert before == uids(default.pods(RELEASE))


def test_an_uninstall_without_keep_leaves_nothing(installed: Installed) -> None:
    """Within 120 s the resource, its children, its volume and the CRD are gone."""
    default = installed.namespace
    options = ["--set=orderService.keep=false", "--set=crds.keep=false"]
    helm("upgrade", RELEASE, "charts/orders", *options)
    helm("uninstall", RELEASE, "--wait")

    for what in (f"deployment/{RELEASE}", f"statefulset/{RELEASE}-postgresql"):
        default.wait(what, "delete", 60)
    default.until(lambda: not _is_crd_there(), 60, "the CRD is gone")
    kinds = "deployments,statefulsets,services,secrets,configmaps,pvc"
    labels = f"app.kubernetes.io/instance={RELEASE}"
    default.until(lambda: not default.every(kinds, labels), 60, "nothing is left")


def test_the_plain_manifests_install_the_operator() -> None:
    """`kubectl apply -f k8s/` gives CRD and operator; a sample is Ready within 90 s of it."""
    run("kubectl", "apply", "-f", "k8s/")
    try:
        run("kubectl", "wait", "--for=condition=Established", f"crd/{CRD}", "--timeout=30s")
        DEFAULT.kubectl("apply", "-f", "k8s/samples/minimal.yaml")
        DEFAULT.wait("orderservice/minimal", "condition=Ready", 90)
        DEFAULT.kubectl("delete", "-f", "k8s/samples/minimal.yaml", "--timeout=60s")
        DEFAULT.wait("deployment/minimal", "delete", 60)
    finally:
        try:
            run("kubectl", "delete", "-f", "k8s/", "--timeout=90s", limit=120)
        except CommandError as error:
            print(error)  # noqa: T201
