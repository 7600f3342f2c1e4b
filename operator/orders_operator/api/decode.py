"""Reads a resource from the API server; what is wrong in it is said with its path.

A field that is unknown is passed over: the API server drops what its CRD does not have, so it is
one of a CRD newer than the operator, which a rollback of the chart leaves.
"""

from typing import Any

import msgspec

from orders_operator.api.spec import OrderService


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
