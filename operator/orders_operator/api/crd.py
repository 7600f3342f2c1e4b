"""The CustomResourceDefinition, made from the Structs; `orders-operator crd` prints it.

A structural schema (KEP-1979) has neither references nor a null type among alternatives, so the
references in msgspec's JSON schema are expanded, and a field that may be null is simply optional.
"""

from typing import Any, Final

import msgspec
import yaml
from msgspec import Struct

from orders_operator import __version__
from orders_operator.api.rules import ROOT, RULES, Rule
from orders_operator.api.spec import GROUP, KIND, PLURAL, VERSION, OrderServiceSpec
from orders_operator.api.status import OrderServiceStatus

Schema = dict[str, Any]

NAME: Final = f"{PLURAL}.{GROUP}"
_KEPT: Final = frozenset(
    {
        "description", "default", "enum", "format", "maxItems", "maxLength", "maxProperties",
        "maximum", "minItems", "minLength", "minimum", "pattern", "required", "type",
        "x-kubernetes-int-or-string", "x-kubernetes-list-map-keys", "x-kubernetes-list-type",
        "x-kubernetes-preserve-unknown-fields",
    }
)  # fmt: skip
_RULES: Final = {struct.__name__: rules for struct, rules in RULES.items()}
_COLUMNS: Final = (
    ("Ready", "string", '.status.conditions[?(@.type=="Ready")].status', 0),
    ("Replicas", "integer", ".status.replicas", 0),
    ("Version", "string", ".status.version", 0),
    ("Migration", "string", '.status.conditions[?(@.type=="Migrated")].reason', 0),
    ("Rollout", "string", ".status.rollout.phase", 0),
    ("Age", "date", ".metadata.creationTimestamp", 0),
    ("Reason", "string", '.status.conditions[?(@.type=="Ready")].reason', 1),
    ("Message", "string", '.status.conditions[?(@.type=="Ready")].message', 1),
    ("Stalled", "string", '.status.conditions[?(@.type=="Stalled")].status', 1),
)
_UNSEEN: Final = {"observedGeneration": -1}
"""The status before the first reconcile: without any, kstatus considers a resource done."""


def definition() -> dict[str, Any]:
    """Return the CustomResourceDefinition (apiextensions.k8s.io/v1)."""
    return {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
        "metadata": {
            "name": NAME,
            "labels": {
                "app.kubernetes.io/name": "orders",
                "app.kubernetes.io/part-of": "orders",
                "app.kubernetes.io/component": "operator",
                "app.kubernetes.io/version": __version__,
            },
        },
        "spec": {
            "group": GROUP,
            "scope": "Namespaced",
            "names": {
                "kind": KIND,
                "listKind": f"{KIND}List",
                "plural": PLURAL,
                "singular": KIND.lower(),
                "shortNames": ["osvc"],
                "categories": ["all"],
            },
            "versions": [_version()],
        },
    }


def manifest() -> str:
    """Return the definition as YAML."""
    head = "# Made by `orders-operator crd`; do not edit.\n"
    return head + yaml.dump(definition(), Dumper=_Dumper, sort_keys=False, width=100)


def _version() -> dict[str, Any]:
    return {
        "name": VERSION,
        "served": True,
        "storage": True,
        "subresources": {
            "status": {},
            "scale": {
                "specReplicasPath": ".spec.replicas",
                "statusReplicasPath": ".status.stableReplicas",
                "labelSelectorPath": ".status.selector",
            },
        },
        "additionalPrinterColumns": [_column(*column) for column in _COLUMNS],
        "schema": {"openAPIV3Schema": _root()},
    }


def _column(name: str, kind: str, path: str, priority: int) -> dict[str, Any]:
    return {"name": name, "type": kind, "jsonPath": path, "priority": priority}


def _root() -> Schema:
    return {
        "type": "object",
        "description": "An order service: its pods, database, migrations and monitoring.",
        "required": ["spec"],
        "properties": {
            "apiVersion": {"type": "string"},
            "kind": {"type": "string"},
            "metadata": {"type": "object"},
            "spec": structural(OrderServiceSpec),
            "status": _plain(structural(OrderServiceStatus)) | {"default": _UNSEEN},
        },
        "x-kubernetes-validations": [_validation(rule) for rule in ROOT],
    }


def structural(struct: type[Struct]) -> Schema:
    """Return the structural schema of a Struct."""
    [schema], components = msgspec.json.schema_components([struct])
    return _resolve(schema, components)


def _plain(schema: Any) -> Any:
    """Return a status's schema without defaults, which would change each written status."""
    if isinstance(schema, list):
        return [_plain(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    return {
        key: _plain(value)
        for key, value in schema.items()
        if key != "default" or isinstance(value, dict)
    }


def _resolve(schema: Schema, components: dict[str, Schema]) -> Schema:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        target = _resolve(components[name], components)
        if rules := _RULES.get(name):
            target["x-kubernetes-validations"] = [_validation(rule) for rule in rules]
        own = ("description", "default")
        return target | {key: value for key, value in _said(schema).items() if key in own}
    schema_part = {key: value for key, value in _said(schema).items() if key in _KEPT}
    if "x-kubernetes-int-or-string" in schema:
        return schema_part | {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    if "anyOf" in schema:
        [only] = [option for option in schema["anyOf"] if option != {"type": "null"}]
        return _resolve(only, components) | schema_part
    if "enum" in schema:
        schema_part["type"] = "string"
    if "properties" in schema:
        parts = schema["properties"].items()
        schema_part["properties"] = {name: _resolve(part, components) for name, part in parts}
    elif isinstance(schema.get("additionalProperties"), dict):
        schema_part["additionalProperties"] = _resolve(schema["additionalProperties"], components)
    if "items" in schema:
        schema_part["items"] = _resolve(schema["items"], components)
    return schema_part


def _said(value: Any) -> Any:
    """Drop what is null or empty from a schema and its defaults: it means nothing."""
    if not isinstance(value, dict):
        return value
    parts = {key: _said(part) for key, part in value.items()}
    return {key: part for key, part in parts.items() if part not in (None, {}, [], ())}


def _validation(rule: Rule) -> dict[str, str]:
    return {"rule": rule.rule, "message": rule.message}


class _Dumper(yaml.SafeDumper):
    """Writes every part in full, without anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


if __name__ == "__main__":
    print(manifest(), end="")  # noqa: T201
