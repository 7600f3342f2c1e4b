"""A webhook that nobody answers, of one kind in one namespace."""

from typing import Any, Final

NOBODY: Final = "https://127.0.0.1:1"
"""Where an API server finds no webhook."""


def webhook(namespace: str, plural: str, *operations: str) -> dict[str, Any]:
    """Return its ValidatingWebhookConfiguration, by which these operations are refused."""
    name = f"{namespace}.orders.test"
    rule = {"apiGroups": ["*"], "apiVersions": ["*"], "resources": [plural]}
    hook = {
        "name": name,
        "clientConfig": {"url": f"{NOBODY}/check"},
        "rules": [{**rule, "operations": [*operations]}],
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": namespace}},
        "failurePolicy": "Fail",
        "sideEffects": "None",
        "admissionReviewVersions": ["v1"],
    }
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "ValidatingWebhookConfiguration",
        "metadata": {"name": name},
        "webhooks": [hook],
    }
