"""The tables of docs/api.md, made from the model: `python -m tools.api` prints the page."""

import json
import sys
from pathlib import Path
from typing import Final

import msgspec

from orders.model import COLUMNS, CreatedAt, OrderId
from tools.marks import fill

PAGE: Final = Path(__file__).parents[1] / "docs" / "api.md"


def example() -> str:
    """Return an order in JSON, made of the examples of its fields."""
    fields = {name: meta.examples[0] for name, meta in _metas().items() if meta.examples}
    return f"```json\n{json.dumps(fields, indent=2)}\n```\n"


def table() -> str:
    """Return the table's rows, one for each field."""
    optional = {column.wire for column in COLUMNS if column.nullable}
    rows = (
        f"| `{name}` | {meta.description}{' Optional.' if name in optional else ''} |\n"
        for name, meta in _metas().items()
    )
    return "| field | |\n|---|---|\n" + "".join(rows)


def _metas() -> dict[str, msgspec.Meta]:
    return {
        "id": _meta(OrderId),
        **{column.wire: column.meta for column in COLUMNS},
        "created_at": _meta(CreatedAt),
    }


def _meta(kind: object) -> msgspec.Meta:
    found: msgspec.Meta = kind.__metadata__[0]  # type: ignore[attr-defined]
    return found


if __name__ == "__main__":
    tables = {"example": example, "fields": table}
    sys.stdout.write(fill(PAGE.read_text(encoding="utf-8"), tables))
