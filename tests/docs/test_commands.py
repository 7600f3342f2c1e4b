"""Shell blocks that need a cluster: each is named here with the tests that do the same in one."""

import ast
from functools import cache
from typing import Final

import pytest

from tests.helpers.paths import ROOT
from tools.site.markdown import blocks

KUBERNETES: Final = {
    "helm install orders charts/orders": (
        "e2e/test_install.py::test_helm_install_gives_an_order_service_in_90_seconds",
        "e2e/test_waiting.py::test_kubectl_waits_for_the_end_whichever_it_is",
        "e2e/test_install.py::test_helm_test_passes",
    ),
    "kubectl port-forward service/orders": (
        "e2e/test_install.py::test_the_notes_say_how_to_place_an_order",
    ),
    "kubectl apply -f - <<END": (
        "e2e/test_samples.py::test_a_sample_with_its_own_database_gets_ready_in_90_seconds",
    ),
    "kubectl apply -f k8s/": ("e2e/test_removal.py::test_the_plain_manifests_keep_the_orders",),
    "kubectl create secret generic orders-database": (
        "e2e/test_samples.py::test_the_canary_sample_gets_ready",
        "e2e/test_upgrade.py::test_a_second_upgrade_with_other_values_reaches_the_service",
    ),
    "kubectl delete pvc data-NAME-postgresql-0": (
        "e2e/test_removal.py::test_a_new_install_finds_the_orders_again",
    ),
    "kubectl patch orderservice NAME": (
        "e2e/test_scaling.py::test_no_pods_at_all_is_ready",
        "e2e/test_leaving.py::test_when_nobody_uses_it_only_its_claim_stays",
    ),
    "docker run --rm": ("e2e/test_callers.py::test_only_who_has_a_key_may_order",),
    'curl -H "X-Api-Key': ("e2e/test_metrics_auth.py::test_metrics_are_shown_with_the_key_alone",),
    "helm upgrade orders charts/orders --reuse-values": (
        "e2e/test_monitoring.py::test_the_crd_appears_and_the_monitor_is_made",
        "e2e/test_monitoring.py::test_every_alert_is_loaded_and_evaluates",
    ),
    "kubectl get services,statefulsets,pvc": (
        "e2e/test_options.py::test_the_longest_name_works_for_every_child",
    ),
    "kubectl auth can-i list secrets": (
        "e2e/test_operator.py::test_in_namespaced_mode_it_sees_its_namespaces_only",
    ),
    "kubectl get leases": ("e2e/test_operator.py::test_a_second_operator_of_the_cluster_waits",),
    "helm upgrade orders charts/orders --reset-then-reuse-values": (
        "e2e/test_upgrade.py::test_an_upgrade_from_the_chart_before_keeps_the_pods",
    ),
    "kubectl run load": ("e2e/test_following.py::test_a_load_goes_to_all_pods",),
    "--override-type=strategic": (
        "e2e/test_install.py::test_nothing_is_refused_under_the_restricted_standard",
    ),
    "helm uninstall orders": (
        "e2e/test_removal.py::test_an_uninstall_without_keep_leaves_the_orders",
    ),
    "kubectl get pvc --all-namespaces": (
        "e2e/test_removal.py::test_an_uninstall_without_keep_leaves_the_orders",
    ),
    "kubectl create namespace check": (
        "e2e/test_policies.py::test_only_those_that_the_spec_names_reach_the_api",
    ),
    "kubectl label namespace NAMESPACE": (
        "e2e/test_samples.py::test_the_namespaced_sample_runs_under_the_restricted_standard",
    ),
    "kubectl get orderservices --all-namespaces": (
        "e2e/test_install.py::test_kubectl_get_shows_how_it_is",
        "e2e/test_plugin.py::test_it_draws_what_the_operator_made",
    ),
    "kubectl apply --server-side": (
        "operator/apiserver/test_adoption.py::test_what_a_backup_tool_restores",
    ),
}
"""How each block of docs/kubernetes.md begins, and what runs its commands, below tests/."""

README: Final = {
    "make run": "tests/docs/test_tutorial.py",
    "# Place an order": "tests/docs/test_readme.py",
    "orders keys new": "tests/docs/test_readme.py",
    "make cluster": "tools/cluster",
}
"""How each block of README begins, and what runs it."""


def shell_blocks(page: str) -> list[str]:
    """Return the shell blocks of a page."""
    found = blocks((ROOT / page).read_text("utf-8"))
    return [block.text.lstrip() for block in found if block.language == "sh"]


@cache
def names_in(path: str) -> set[str]:
    """Return the names of the tests in a file."""
    return {
        node.name
        for node in ast.parse((ROOT / path).read_text("utf-8")).body
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    }


@pytest.mark.parametrize(
    ("page", "known"), [("docs/kubernetes.md", KUBERNETES), ("README.md", README)]
)
def test_no_block_is_forgotten(page: str, known: dict[str, object]) -> None:
    """Each shell block is one that something runs, and nothing is named that no page has."""
    found = shell_blocks(page)
    begins = {block: [head for head in known if block.startswith(head)] for block in found}

    assert [] == [block for block, heads in begins.items() if not heads]
    assert known.keys() == {max(heads, key=len) for heads in begins.values()}


def test_the_tests_that_run_them_are_there() -> None:
    """What is named is a test of a cluster or of an API server."""
    named = {test for tests in KUBERNETES.values() for test in tests}
    missing = [
        f"{path}::{name}"
        for path, _, name in (test.partition("::") for test in named)
        if name not in names_in(f"tests/{path}")
    ]

    assert [] == missing
    assert [] == [path for path in README.values() if not (ROOT / path).exists()]
