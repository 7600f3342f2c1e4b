"""Where pods may run and from where their images come, as a spec declares it of all of them."""

from typing import Any

from orders_operator.api.spec import PodTemplate


def scheduling(declared: PodTemplate) -> dict[str, Any]:
    """Return fields of a pod's spec, without those that are not declared."""
    fields = {
        "imagePullSecrets": [{"name": it.name} for it in declared.image_pull_secrets],
        "nodeSelector": declared.node_selector,
        "tolerations": list(declared.tolerations),
        "affinity": declared.affinity,
        "priorityClassName": declared.priority_class_name,
    }
    return {name: value for name, value in fields.items() if value}
