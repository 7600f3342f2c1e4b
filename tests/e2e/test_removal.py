"""What is left when the chart goes: all when asked, else the orders. The last of the tests."""

import json
from typing import Final

import pytest

from tests.e2e.conftest import Installed
from tests.helpers.cluster.kubectl import OPERATOR, CommandError, Namespace, helm, run, uids
from tests.helpers.cluster.outside_caller import Caller
from tests.helpers.cluster.page_reader import paste
from tests.helpers.cluster.release import RELEASE
from tests.helpers.page_blocks import block

pytestmark = pytest.mark.usefixtures("release_removed")

PAGE: Final = "docs/kubernetes.md"
CRD: Final = "orderservices.orders.dev"
DEFAULT: Final = Namespace("default")
CLAIM: Final = f"data-{RELEASE}-postgresql-0"
KINDS: Final = "deployments,statefulsets,services,secrets,configmaps,pvc"
SAMPLE: Final = "minimal"
SAMPLE_CLAIM: Final = f"data-{SAMPLE}-postgresql-0"


def _is_crd_there() -> bool:
    return bool(run("kubectl", "get", "crd", CRD, "--ignore-not-found", "-o", "name"))


def _orders(service: str) -> set[str]:
    """Return the ids of the orders that a service lists first."""
    proxy = f"/api/v1/namespaces/default/services/{service}:http/proxy/orders"
    return {it["id"] for it in json.loads(DEFAULT.kubectl("get", "--raw", proxy))}


def _left(service: str) -> list[str]:
    """Return what is left of an OrderService, as Kind/name."""
    found = DEFAULT.every(KINDS, f"app.kubernetes.io/instance={service}")
    return [f"{it['kind']}/{it['metadata']['name']}" for it in found]


def test_an_uninstall_keeps_the_orders_when_asked(installed: Installed) -> None:
    """With orderService.keep the resource, its pods and orders stay; the CRD stays as it does."""
    default = installed.namespace
    helm("upgrade", "--install", RELEASE, "charts/orders", "--set=orderService.keep=true")
    default.rolled_out(RELEASE, 90)
    helm("test", RELEASE)
    before = uids(default.pods(RELEASE))

    paste(block(PAGE, "helm uninstall orders"))
    default.wait(f"deployment/{OPERATOR}", "delete", 60)

    assert _is_crd_there()
    assert default.exists("orderservice", RELEASE)
    assert before == uids(default.pods(RELEASE))
    assert set() != _orders(RELEASE)


def test_what_was_kept_is_taken_up_again(installed: Installed) -> None:
    """Installed again over what was kept: the same pods, Ready within 90 s."""
    default = installed.namespace
    before = uids(default.pods(RELEASE))
    helm("install", RELEASE, "charts/orders", "--set=orderService.keep=true", "--take-ownership")
    default.rolled_out(RELEASE, 90)

    assert before == uids(default.pods(RELEASE))


def test_an_uninstall_without_keep_leaves_the_orders(installed: Installed) -> None:
    """Within 120 s the resource, its children and the CRD are gone; a claim is left."""
    default = installed.namespace
    options = ["--set=orderService.keep=false", "--set=crds.keep=false"]
    helm("upgrade", RELEASE, "charts/orders", *options)
    helm("uninstall", RELEASE, "--wait")

    for what in (f"deployment/{RELEASE}", f"statefulset/{RELEASE}-postgresql"):
        default.wait(what, "delete", 60)
    default.until(lambda: not _is_crd_there(), 60, "the CRD is gone")
    kept = [f"PersistentVolumeClaim/{CLAIM}"]
    default.until(lambda: _left(RELEASE) == kept, 60, "only the claim is left")
    assert "Bound" == default.get("pvc", CLAIM)["status"]["phase"]


def test_a_new_install_finds_the_orders_again(installed: Installed) -> None:
    """They are deleted by the command that its notes print, and by nothing else."""
    default = installed.namespace
    claim = default.get("pvc", CLAIM)["metadata"]["uid"]
    paste(block(PAGE, "helm install orders charts/orders\n"))
    default.rolled_out(RELEASE, 10)
    assert set() != _orders(RELEASE)
    assert claim == default.get("pvc", CLAIM)["metadata"]["uid"]

    notes = helm("get", "notes", RELEASE)
    [command] = [line.split() for line in notes.splitlines() if "kubectl delete" in line]
    helm("uninstall", RELEASE, "--wait")
    default.wait(f"pod/{RELEASE}-postgresql-0", "delete", 90)
    assert claim == default.get("pvc", CLAIM)["metadata"]["uid"]
    run(*command)
    assert not default.exists("pvc", CLAIM)


def test_orders_that_nobody_wants_go_with_the_release(installed: Installed) -> None:
    """With `retention: Delete` the claim is gone within 60 s of the uninstall."""
    default = installed.namespace
    helm("install", RELEASE, "charts/orders", "--set=database.embedded.retention=Delete")
    default.rolled_out(RELEASE, 120)
    assert default.exists("pvc", CLAIM)

    helm("uninstall", RELEASE, "--wait")
    default.wait(f"pvc/{CLAIM}", "delete", 60)
    default.until(lambda: not _left(RELEASE), 60, "nothing is left")
    run("kubectl", "delete", "crd", CRD)


def test_the_plain_manifests_keep_the_orders() -> None:
    """`kubectl apply -f k8s/` gives all; deleted, and applied again, the orders are there.

    A sample is Ready within 90 s of it. What is left in between is a claim.
    """
    try:
        _apply_plainly()
        with Caller(DEFAULT, SAMPLE) as caller:
            pass
        run("kubectl", "delete", "-f", "k8s/", "--timeout=90s", limit=120)
        kept = [f"PersistentVolumeClaim/{SAMPLE_CLAIM}"]
        DEFAULT.until(lambda: _left(SAMPLE) == kept, 120, "only the claim is left")

        _apply_plainly()
        assert set(caller.placed) >= _orders(SAMPLE) > set()
        DEFAULT.kubectl("delete", "-f", f"k8s/samples/{SAMPLE}.yaml", "--timeout=60s")
        DEFAULT.wait(f"pod/{SAMPLE}-postgresql-0", "delete", 90)
        DEFAULT.kubectl("delete", "pvc", SAMPLE_CLAIM)
        assert [] == _left(SAMPLE)
    finally:
        try:
            run(
                "kubectl", "delete", "-f", "k8s/", "--ignore-not-found", "--timeout=90s", limit=120
            )
        except CommandError as error:
            print(error)  # noqa: T201


def _apply_plainly() -> None:
    """Apply the plain manifests and a sample; return when it is ready."""
    paste(block(PAGE, "kubectl apply -f k8s/"))
    run("kubectl", "wait", "--for=condition=Established", f"crd/{CRD}", "--timeout=30s")
    DEFAULT.kubectl("apply", "-f", f"k8s/samples/{SAMPLE}.yaml")
    DEFAULT.rolled_out(SAMPLE, 90)
