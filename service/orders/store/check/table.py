"""Finds the columns that the table of orders has after the migrations, from their SQL."""

from collections.abc import Iterable
from typing import Any, Final

from pglast import ast, enums

from orders.store.check.script import Name, parse, relation
from orders.store.drift import TableColumn
from orders.store.migrations import Migration

_AT: Final = enums.AlterTableType
_CONSTRAINT: Final = enums.ConstrType
_NAMES: Final = {
    "bool": "boolean",
    "float4": "real",
    "float8": "double precision",
    "int2": "smallint",
    "int4": "integer",
    "int8": "bigint",
    "timestamp": "timestamp without time zone",
    "timestamptz": "timestamp with time zone",
    "varchar": "character varying",
}
"""What PostgreSQL calls a type that its parser calls by another name."""
_SERIAL: Final = {"serial": "integer", "bigserial": "bigint", "smallserial": "smallint"}


def columns_after(files: Iterable[Migration], table: str = "orders") -> dict[str, TableColumn]:
    """Return the columns of a table after files, by name; none if they do not create it."""
    found: dict[str, TableColumn] = {}
    for file in files:
        for statement in parse(file).statements:
            for action in statement.actions:
                _follow(action.node, action.on, table, found)
    return found


def _follow(node: Any, on: frozenset[Name], table: str, found: dict[str, TableColumn]) -> None:
    match node:
        case ast.CreateStmt() if relation(node.relation).name == table:
            _create(node, found)
        case ast.AlterTableCmd() if any(name.name == table for name in on):
            _alter(node, found)
        case ast.RenameStmt(renameType=enums.ObjectType.OBJECT_COLUMN) if any(
            name.name == table for name in on
        ):
            found[node.newname] = found.pop(node.subname)


def _create(node: Any, found: dict[str, TableColumn]) -> None:
    keys: set[str] = set()
    for element in node.tableElts or ():
        if isinstance(element, ast.ColumnDef):
            found[element.colname] = _column(element)
        elif element.contype == _CONSTRAINT.CONSTR_PRIMARY:
            keys |= {key.sval for key in element.keys}
    for name in keys:
        found[name] = found[name]._replace(nullable=False)


def _alter(command: Any, found: dict[str, TableColumn]) -> None:
    name = command.name
    match command.subtype:
        case _AT.AT_AddColumn:
            if not (command.missing_ok and command.def_.colname in found):
                found[command.def_.colname] = _column(command.def_)
        case _AT.AT_DropColumn:
            found.pop(name, None)
        case _AT.AT_AlterColumnType:
            found[name] = found[name]._replace(type=_type(command.def_.typeName))
        case _AT.AT_SetNotNull:
            found[name] = found[name]._replace(nullable=False)
        case _AT.AT_DropNotNull:
            found[name] = found[name]._replace(nullable=True)
        case _AT.AT_ColumnDefault:
            found[name] = found[name]._replace(has_default=command.def_ is not None)


def _column(definition: Any) -> TableColumn:
    kinds = {constraint.contype for constraint in definition.constraints or ()}
    serial = definition.typeName.names[-1].sval in _SERIAL
    identity = _CONSTRAINT.CONSTR_IDENTITY in kinds
    never_null = {_CONSTRAINT.CONSTR_NOTNULL, _CONSTRAINT.CONSTR_PRIMARY} & kinds
    filled = {_CONSTRAINT.CONSTR_DEFAULT, _CONSTRAINT.CONSTR_GENERATED} & kinds
    return TableColumn(
        _type(definition.typeName),
        nullable=not (never_null or serial or identity),
        has_default=bool(filled) or serial or identity,
    )


def _type(node: Any) -> str:
    name = node.names[-1].sval
    known = _SERIAL.get(name) or _NAMES.get(name, name)
    return f"{known}[]" if node.arrayBounds else known
