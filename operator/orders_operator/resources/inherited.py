"""What a spec declares for all of its pods and children: metadata, and where pods may run.

The operator's own metadata take precedence, so that no spec removes a child from a selector. Keys
under `orders.dev/` belong to the operator: they tell a rollout what an object is.
"""

from collections.abc import Mapping
from typing import Final

from orders_operator.api.spec import GROUP, InheritedMetadata, OrderService, PodsSpec, PodTemplate
from orders_operator.objects import Object

_OWN: Final = f"{GROUP}/"


def declared_metadata(spec: PodsSpec) -> InheritedMetadata:
    """Return the metadata of pods: what all children inherit, and what is for pods alone."""
    common, pods = spec.inherited_metadata, spec.pod_template
    return InheritedMetadata(
        {**_foreign(common.labels), **pods.labels},
        {**_foreign(common.annotations), **pods.annotations},
    )


def inherit(service: OrderService, child: Object) -> Object:
    """Return a child with the metadata that it inherits."""
    declared, metadata = service.spec.inherited_metadata, dict(child["metadata"])
    inherited = {"labels": declared.labels, "annotations": declared.annotations}
    for field, common in inherited.items():
        entries = {**_foreign(common), **(metadata.get(field) or {})}
        if entries:
            metadata[field] = entries
    return {**child, "metadata": metadata}


def scheduling(declared: PodTemplate) -> Object:
    """Return where pods may run, and their images' pull Secrets, as fields of a pod's spec."""
    fields = {
        "imagePullSecrets": [{"name": secret.name} for secret in declared.image_pull_secrets],
        "nodeSelector": declared.node_selector,
        "tolerations": list(declared.tolerations),
        "affinity": declared.affinity,
        "priorityClassName": declared.priority_class_name,
    }
    return {name: value for name, value in fields.items() if value}


def _foreign(entries: Mapping[str, str]) -> dict[str, str]:
    return {key: value for key, value in entries.items() if not key.startswith(_OWN)}
