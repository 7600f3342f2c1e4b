"""A revision's own copy of the ConfigMaps that its pods read. Pure.

The copy of the declared revision follows the originals. Any other revision, such as the stable one
beside a canary, keeps its copy, so that a rollback restores the content as well.

A copy never changes: other content makes another copy, with the content's hash in its name. So a
container that restarts while new content is rolled out reads what its pod read before.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping
from typing import Final

from msgspec import json

from orders_operator.api.spec import OrderService
from orders_operator.objects import Object
from orders_operator.resources.labels import child
from orders_operator.resources.references import CONFIG_MAPS, Needed, Reference

_KEY_LENGTH: Final = 253
_HASH_LENGTH: Final = 10


def copy_name(service: str, revision: str, data: Mapping[str, str]) -> str:
    """Return the name of the ConfigMap that holds the copy of this content."""
    content = json.encode(dict(data), order="sorted")
    digest = hashlib.sha256(content).hexdigest()[:_HASH_LENGTH]
    return f"{_prefix(service, revision)}{digest}"


def copy_of(template: Object, service: str, revision: str) -> str:
    """Return the name of the copy that a pod template reads; empty if it reads none."""
    names = (found["name"] for found in _references(template))
    prefix = _prefix(service, revision)
    return next((name for name in names if name.startswith(prefix)), "")


def copy_key(item: Needed) -> str:
    """Return the key of a value in the copy; `_` separates, as no ConfigMap's name contains it."""
    key = f"{item.reference.name}_{item.key}"
    return key if len(key) <= _KEY_LENGTH else hashlib.sha256(key.encode()).hexdigest()


def config_copy(service: OrderService, name: str, data: Mapping[str, str]) -> Object:
    """Return the immutable ConfigMap of a copy."""
    suffix = name.removeprefix(service.metadata.name)
    return child(service, "v1", "ConfigMap", suffix=suffix, immutable=True, data=dict(data))


def reads_copy(template: Object, copy: str) -> Object:
    """Return a pod template whose variables come from the copy instead of the originals."""

    def changed(reference: Object) -> Object:
        item = Needed(Reference(CONFIG_MAPS, reference["name"]), reference["key"])
        return reference if reference["name"] == copy else {"name": copy, "key": copy_key(item)}

    return _with_references(template, changed)


def reads_originals(template: Object, copy: str) -> Object:
    """Return a pod template as it was declared, from one whose variables come from the copy."""

    def changed(reference: Object) -> Object:
        name, underscore, key = reference["key"].partition("_")
        return (
            {"name": name, "key": key} if reference["name"] == copy and underscore else reference
        )

    return _with_references(template, changed)


def _prefix(service: str, revision: str) -> str:
    return f"{service}-{revision}-"


def _references(template: Object) -> Iterator[Object]:
    """Yield the references of a pod template's variables to ConfigMaps."""
    spec = template["spec"]
    for container in (*(spec.get("initContainers") or ()), *(spec.get("containers") or ())):
        for variable in container.get("env") or ():
            reference = _reference(variable)
            if reference is not None:
                yield reference


def _reference(variable: Object) -> Object | None:
    """Return a variable's reference to a ConfigMap, with name and key; None without one."""
    source = variable.get("valueFrom")
    reference = source.get("configMapKeyRef") if isinstance(source, dict) else None
    if not isinstance(reference, dict):
        return None
    named = isinstance(reference.get("name"), str) and isinstance(reference.get("key"), str)
    return reference if named else None


def _with_references(template: Object, changed: Callable[[Object], Object]) -> Object:
    spec = dict(template["spec"])
    for field in ("initContainers", "containers"):
        if field in spec:
            spec[field] = [_container(container, changed) for container in spec[field]]
    return {**template, "spec": spec}


def _container(container: Object, changed: Callable[[Object], Object]) -> Object:
    if "env" not in container:
        return container
    return {**container, "env": [_variable(variable, changed) for variable in container["env"]]}


def _variable(variable: Object, changed: Callable[[Object], Object]) -> Object:
    reference = _reference(variable)
    if reference is None:
        return variable
    read = {"configMapKeyRef": {**reference, **changed(reference)}}
    return {**variable, "valueFrom": {**variable["valueFrom"], **read}}
