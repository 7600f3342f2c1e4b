"""What a spec declares of all of its pods and children: metadata, and where pods may run.

What the operator itself says of an object wins, so that no spec takes a child out of a selector.
Keys under `orders.dev/` are the operator's: they say what an object is to a rollout.
"""

from collections.abc import Mapping
from typing import Final

from orders_operator.api.spec import GROUP, InheritedMetadata, OrderService, PodsSpec, PodTemplate
from orders_operator.objects import Object

_OWN: Final = f"{GROUP}/"


def declared_metadata(spec: PodsSpec) -> InheritedMetadata:
    """Return what pods have: what all children inherit, and what is declared of pods alone."""
    common, pods = spec.inherited_metadata, spec.pod_template
    return InheritedMetadata(
        {**_foreign(common.labels), **pods.labels},
        {**_foreign(common.annotations), **pods.annotations},
    )


def inherit(service: OrderService, child: Object) -> Object:
    """Return a child with what it inherits."""
    declared, metadata = service.spec.inherited_metadata, dict(child["metadata"])
    inherited = {"labels": declared.labels, "annotations": declared.annotations}
    for field, common in inherited.items():
        entries = {**_foreign(common), **(metadata.get(field) or {})}
        if entries:
            metadata[field] = entries
    return {**child, "metadata": metadata}


def scheduling(declared: PodTemplate) -> Object:
    """Return where pods may run and their images come from, as fields of a pod's spec."""
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
