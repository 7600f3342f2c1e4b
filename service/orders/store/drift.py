"""Checks that the table of orders has the model's columns, and requires no others.

Without a field's column the database refuses every statement on orders; a required column that no
field fills keeps every order out. So the service is not ready, and `orders migrate check` fails,
with a line that names the field or the column.
"""

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from orders.columns import Column
from orders.model import COLUMNS

OWN: Final = ("id", "created_at")
"""The service's own columns beside those of the model."""
_SERVES: Final = {
    "text": {"text", "character varying"},
    "integer": {"integer", "bigint"},
}
"""The types that a column may have, by the type that the model needs; others have to match."""


class TableColumn(NamedTuple):
    """A column of the table; `type` is PostgreSQL's name of its type, without a length."""

    type: str
    nullable: bool
    has_default: bool


def table_of(rows: Iterable[tuple[Any, ...]]) -> dict[str, TableColumn]:
    """Return the columns in rows of `schema.LOOK`."""
    return {name: TableColumn(*column) for _, name, *column in rows if name is not None}


def drift(table: Mapping[str, TableColumn], columns: Iterable[Column] = COLUMNS) -> str | None:
    """Return a line on the first thing that does not fit; None if everything does."""
    return next(drifts(table, columns), None)


def drifts(table: Mapping[str, TableColumn], columns: Iterable[Column]) -> Iterator[str]:
    """Yield a line for each thing that does not fit."""
    written = set(OWN)
    for column in columns:
        written.add(column.name)
        found = table.get(column.name)
        field = f"the field {column.field}"
        if found is None:
            yield f"{field} has no column {column.name}; `orders migrate new NAME` adds it"
            continue
        place = f"the column {column.name}"
        if found.type not in _SERVES.get(column.type, {column.type}):
            yield f"{field} needs {column.type}, but {place} is {found.type}"
        if column.nullable and not found.nullable:
            yield f"{field} may be null, but {place} is NOT NULL"
        if found.nullable and not column.nullable:
            yield f"{field} may not be null, but {place} may"
    for name, found in table.items():
        if name not in written and not found.nullable and not found.has_default:
            yield (
                f"the column {name} is NOT NULL without a default, and no field of the model"
                " fills it"
            )
