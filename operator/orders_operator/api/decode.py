"""Reads a resource from the API server; what is wrong in it is said with its path.

A field that is unknown is passed over: the API server drops what its CRD does not have, so it is
one of a CRD newer than the operator, which a rollback of the chart leaves.
"""

from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import fields

from orders_operator.api.spec import OrderService, OrderServiceSpec

_UNREAD: dict[str, Any] = {"image": "unread", "database": {"secretRef": {"name": "unread"}}}
"""What stands for a required field that cannot be read."""


class InvalidSpec(Exception):
    """The resource does not say what is wanted; the message names the field."""


def decode(resource: dict[str, Any]) -> OrderService:
    """Return the typed resource.

    The CRD keeps most mistakes out. What comes here in spite of it is an object older than the
    CRD's rules, or a CRD older than the operator.

    Raises:
        InvalidSpec: a field is missing, of another type or out of bounds.

    """
    try:
        return msgspec.convert(resource, OrderService)
    except msgspec.ValidationError as error:
        message = str(error).replace("`$", "`")
        raise InvalidSpec(message.replace("`.spec", "`spec")) from None


def legible(resource: dict[str, Any]) -> OrderService | None:
    """Return a resource with those fields of its spec that can be read, and defaults for others.

    Nothing new is to be made of it. None if too little is left.
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
