"""Decodes a resource from the API server; an error names the path of the field.

An unknown field is ignored: the API server drops what its CRD does not have, so the field belongs
to a CRD that is newer than the operator, as after a rollback of the chart.
"""

from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from orders_operator.api.spec import OrderService, OrderServiceSpec

_UNREAD: dict[str, Any] = {"image": "unread", "database": {"secretRef": {"name": "unread"}}}
"""The substitutes for required fields that cannot be read."""


class InvalidSpec(Exception):
    """The spec is not valid; the message names the field."""


def decode(resource: dict[str, Any]) -> OrderService:
    """Return the typed resource.

    The CRD prevents most mistakes. The others come from an object older than the CRD's rules, or
    from a CRD older than the operator.

    Raises:
        InvalidSpec: a field is missing, has another type, or is out of bounds.

    """
    try:
        return msgspec.convert(resource, OrderService)
    except msgspec.ValidationError as error:
        message = str(error).replace("`$", "`")
        raise InvalidSpec(message.replace("`.spec", "`spec")) from None


def legible(resource: dict[str, Any]) -> OrderService | None:
    """Return a resource with the legible fields of its spec, and defaults for the others.

    Nothing new may be made from it. None if too little is legible.
    """
    try:
        spec = _UNREAD | _legible(resource["spec"], OrderServiceSpec)
        return msgspec.convert({**resource, "spec": spec}, OrderService)
    except (KeyError, AttributeError, msgspec.ValidationError):
        return None


def _legible(part: dict[str, Any], struct: type[Struct]) -> dict[str, Any]:
    kept = {}
    for field in fields(struct):
        value = part.get(field.encode_name)
        if value is None:
            continue
        try:
            msgspec.convert(value, field.type)
        except msgspec.ValidationError:
            nested = isinstance(field.type, type) and issubclass(field.type, Struct)
            if nested and isinstance(value, dict) and field.encode_name not in _UNREAD:
                kept[field.encode_name] = _legible(value, field.type)
        else:
            kept[field.encode_name] = value
    return kept
