"""`orders migrate new`: the next file, with the columns that the model has and the table lacks."""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

from msgspec import NODEFAULT, structs
from pglast.keywords import RESERVED_KEYWORDS, TYPE_FUNC_NAME_KEYWORDS

from orders.columns import Column
from orders.model import COLUMNS, NewOrder
from orders.store.check.table import columns_after
from orders.store.migration_sql import literal
from orders.store.migrations import DIRECTORY, MigrationError, read_all

NAME: Final = re.compile("[a-z0-9_]+").fullmatch
_WRONG: Final = 2
_KEYWORDS: Final = RESERVED_KEYWORDS | TYPE_FUNC_NAME_KEYWORDS
"""Words that name a column only if they are quoted."""
_HEAD: Final = """\
-- {title}. The release before this one runs on this schema, too: docs/migrations.md.
"""
_NOTHING: Final = (
    "-- The table has a column for each field of the model; write what else it needs.\n"
)


def main(name: str, directory: Path = DIRECTORY) -> int:
    """Write the file and print its path; 2 if it cannot be written."""
    try:
        path = draft(name, directory)
    except (MigrationError, OSError) as error:
        sys.stderr.write(f"orders: {error}\n")
        return _WRONG
    sys.stdout.write(f"{path}\n")
    return 0


def draft(name: str, directory: Path = DIRECTORY, columns: Sequence[Column] = COLUMNS) -> Path:
    """Write the file; return its path.

    Raises:
        MigrationError: the name or another file is wrong, or a new field is required.
        OSError: the folder cannot be written to.

    """
    if NAME(name) is None:
        raise MigrationError(f"{name!r} is not allowed as a name; allowed: a to z, 0 to 9 and _")
    files = read_all(directory)
    there = columns_after(files)
    body = "".join(_added(column) for column in columns if column.name not in there)
    path = directory / f"{len(files) + 1:04}_{name}.sql"
    title = name.replace("_", " ").capitalize()
    with path.open("x", encoding="utf-8") as file:
        file.write(_HEAD.format(title=title) + (body or _NOTHING))
    return path


def _added(column: Column) -> str:
    is_plain = column.name.islower() and column.name not in _KEYWORDS
    name = column.name if is_plain else column.quoted
    return f"ALTER TABLE orders ADD COLUMN {name} {column.type}{''.join(_more(column))};\n"


def _more(column: Column) -> Iterator[str]:
    """Yield the clause that gives existing orders a value, for a column that is never null."""
    if column.nullable:
        return
    [default] = (f.default for f in structs.fields(NewOrder) if f.name == column.field)
    if default is NODEFAULT:
        raise MigrationError(
            f"the field {column.field} is required, and the orders that are there have none:"
            " give it a default, or make it `| None = None`"
        )
    yield f" NOT NULL DEFAULT {literal(str(default))}"
