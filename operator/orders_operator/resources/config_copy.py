"""A revision's own copy of the ConfigMaps that its pods read. Pure.

The copy of what is declared now follows the originals. That of another revision, the stable one
beside a canary, stays as it is, so that going back goes back to its content as well.
"""

import hashlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from orders_operator.api.spec import OrderService
from orders_operator.resources.labels import child
from orders_operator.resources.references import CONFIG_MAPS, Needed, Reference

Object = dict[str, Any]

_KEY_LENGTH: Final = 253


def copy_name(service: str, revision: str) -> str:
    """Return the name of the ConfigMap that holds the copy."""
    return f"{service}-{revision}"


def copy_key(item: Needed) -> str:
    """Return the key of a value in the copy; a ConfigMap's name has no underscore."""
    key = f"{item.reference.name}_{item.key}"
    return key if len(key) <= _KEY_LENGTH else hashlib.sha256(key.encode()).hexdigest()


def config_copy(service: OrderService, revision: str, data: Mapping[str, str]) -> Object:
    """Return the ConfigMap."""
    return child(service, "v1", "ConfigMap", suffix=f"-{revision}", data=dict(data))


def reads_copy(template: Object, copy: str) -> Object:
    """Return a pod template whose variables come from the copy instead of the originals."""

    def changed(found: Object) -> Object:
        item = Needed(Reference(CONFIG_MAPS, found["name"]), found["key"])
        return found if found["name"] == copy else {"name": copy, "key": copy_key(item)}

    return _with_references(template, changed)


def reads_originals(template: Object, copy: str) -> Object:
    """Return a pod template as it was declared, from one whose variables come from the copy."""

    def changed(found: Object) -> Object:
        name, underscore, key = found["key"].partition("_")
        return {"name": name, "key": key} if found["name"] == copy and underscore else found

    return _with_references(template, changed)


def _with_references(template: Object, changed: Callable[[Object], Object]) -> Object:
    spec = dict(template["spec"])
    for field in ("initContainers", "containers"):
        if field in spec:
            spec[field] = [_container(it, changed) for it in spec[field]]
    return {**template, "spec": spec}


def _container(container: Object, changed: Callable[[Object], Object]) -> Object:
    if "env" not in container:
        return container
    return {**container, "env": [_variable(it, changed) for it in container["env"]]}


def _variable(variable: Object, changed: Callable[[Object], Object]) -> Object:
    source = variable.get("valueFrom")
    if not isinstance(source, dict):
        return variable
    found = source.get("configMapKeyRef")
    if not (isinstance(found, dict) and isinstance(found.get("name"), str)):
        return variable
    if not isinstance(found.get("key"), str):
        return variable
    return {**variable, "valueFrom": {**source, "configMapKeyRef": {**found, **changed(found)}}}
