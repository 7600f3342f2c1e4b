"""JSON Schemas of the API's types, by which msgspec validates them."""

from functools import cache
from typing import Any, Final

import msgspec

from orders.http.endpoints import ENDPOINTS
from orders.model import NewOrder, Order

Json = dict[str, Any]

_NO_NUL: Final = r"^[^\x00]*$"
"""The endpoints' check of each text (`orders.columns.nul_in`), for the documentation."""


def schemas_of(types: list[Any]) -> tuple[list[Json], Json]:
    """Return the schema of each type, and the schemas that they refer to, by name."""
    schemas, components = msgspec.json.schema_components(
        types, ref_template="#/components/schemas/{name}"
    )
    for name in _stored().intersection(components):
        for field in components[name].get("properties", {}).values():
            deny_nul(field)
    return list(schemas), dict(sorted(components.items()))


@cache
def _stored() -> frozenset[str]:
    """Return the names of the schemas that are stored as sent, so whose texts have no NUL."""
    bodies = [e.body for e in ENDPOINTS if "Database" in e.takes and e.body is not None]
    return frozenset(msgspec.json.schema_components([NewOrder, Order, *bodies])[1])


def deny_nul(schema: Json) -> None:
    """Say of a schema that its texts have no NUL."""
    for found in schema.get("anyOf", [schema]):
        if found.get("type") == "string" and "format" not in found:
            found.setdefault("pattern", _NO_NUL)
