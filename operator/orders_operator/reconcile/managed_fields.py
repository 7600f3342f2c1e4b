"""Whether an apply would leave an object unchanged. Pure.

Such an apply is not sent at all: it would pass admission, where a policy may write the time into a
pod template, so that each apply would start a rolling update. The object itself tells what our
last apply gave it: `managedFields` has the fields, the object their values.
"""

import re
from decimal import Decimal
from typing import Any, Final

from msgspec import json

from orders_operator.objects import Object

_IDENTITY: Final = ("name", "namespace")
_ABSENT: Final = object()
_QUANTITIES: Final = frozenset({"limits", "requests"})
_QUANTITY: Final = re.compile(r"(\d+(?:\.\d+)?)([numkMGTPE]?|[KMGTPE]i)")
_UNITS: Final = {
    **{unit: Decimal(1000) ** power for power, unit in enumerate("num kMGTPE", -3)},
    **{f"{unit}i": Decimal(1024) ** power for power, unit in enumerate("KMGTPE", 1)},
}


def is_applied(live: Object, wanted: Object, manager: str) -> bool:
    """Whether what a manager has applied to an object equals what is wanted now.

    A value that the API server has put in another form (an empty list, say, or a quantity anywhere
    but in resources) counts as a difference: then the object is applied once more, like any other.
    """
    fields = _fields(live, manager)
    if fields is None:
        return False
    metadata = {key: it for key, it in wanted["metadata"].items() if key not in _IDENTITY}
    given = {key: it for key, it in wanted.items() if key not in {"apiVersion", "kind"}}
    given = {**given, "metadata": metadata}
    return _same(given, live, fields)


def _fields(live: Object, manager: str) -> Object | None:
    """Return the set of fields that a manager has applied, as `fieldsV1` writes it."""
    for entry in live["metadata"].get("managedFields") or ():
        applied = entry.get("operation") == "Apply" and not entry.get("subresource")
        if entry.get("manager") == manager and applied:
            fields: Object = entry.get("fieldsV1") or {}
            return fields
    return None


def _same(wanted: Any, live: Any, fields: Object) -> bool:
    """Whether a value is as wanted in the fields of a set, and the set has no other fields."""
    inner = {name: it for name, it in fields.items() if name != "."}
    if not inner:  # the value as a whole is owned
        return bool(wanted == _declared(live))
    if isinstance(wanted, dict) and isinstance(live, dict):
        return inner.keys() == {f"f:{name}" for name in wanted} and all(
            _same(value, live.get(name, _ABSENT), inner[f"f:{name}"])
            or (name in _QUANTITIES and _same_quantities(value, live.get(name)))
            for name, value in wanted.items()
        )
    if not (isinstance(wanted, list) and isinstance(live, list) and len(inner) == len(wanted)):
        return False
    return all(isinstance(item, dict) and _same_item(item, live, inner) for item in wanted)


def _same_item(wanted: Object, live: list[Any], fields: Object) -> bool:
    """Whether an item is as wanted in a list whose items some of their fields identify."""
    for name, inner in fields.items():
        key = json.decode(name[2:]) if name.startswith("k:") else None
        if isinstance(key, dict) and _has(wanted, key):
            match = next((item for item in live if _has(item, key)), None)
            return match is not None and _same(wanted, match, inner)
    return False


def _same_quantities(wanted: Any, live: Any) -> bool:
    """Whether resources are as wanted, in whatever unit: the API server turns 0.5 into 500m."""
    if not (isinstance(wanted, dict) and isinstance(live, dict) and wanted.keys() == live.keys()):
        return False
    return all(_quantity(quantity) == _quantity(live[name]) for name, quantity in wanted.items())


def _quantity(value: Any) -> Decimal | str:
    """Return a quantity as a number; text in any other form is compared as it is."""
    match = _QUANTITY.fullmatch(str(value))
    return str(value) if match is None else Decimal(match[1]) * _UNITS[match[2] or " "]


def _has(item: Any, key: Object) -> bool:
    return isinstance(item, dict) and all(
        item.get(name, _ABSENT) == value for name, value in key.items()
    )


def _declared(live: Any) -> Any:
    """Return a value without the status that a StatefulSet's claim templates have."""
    if not isinstance(live, list):
        return live
    return [
        {name: value for name, value in entry.items() if name != "status"}
        if isinstance(entry, dict)
        else entry
        for entry in live
    ]
