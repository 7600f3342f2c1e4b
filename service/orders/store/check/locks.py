"""Rules: locks that may not keep other sessions waiting while a whole table is read.

A write needs ROW EXCLUSIVE on its table, a read ACCESS SHARE. A lock that conflicts with these is
fine for a moment, and not for as long as a table is read or written.
"""

from typing import Any, Final

from pglast import ast, enums

from orders.store.check.constraints import is_serial, of_column
from orders.store.check.context import FIRST_BLOCKING_MODE, FileContext
from orders.store.check.functions import VOLATILE, called
from orders.store.check.rule import Rule
from orders.store.check.script import Action

_AT: Final = enums.AlterTableType
_CONSTRAINT: Final = enums.ConstrType

REWRITES: Final = {
    _AT.AT_SetLogged,
    _AT.AT_SetUnLogged,
    _AT.AT_SetTableSpace,
    _AT.AT_SetAccessMethod,
    _AT.AT_SetExpression,
}
_OFF: Final = {"false", "off", "0"}


def _option(options: Any, name: str) -> bool:
    """Tell whether a statement has an option such as VACUUM (FULL), and has it on."""
    for option in options or ():
        if option.defname == name:
            value = getattr(option.arg, "sval", None) or str(getattr(option.arg, "ival", ""))
            return value.lower() not in _OFF
    return False


def _creates_index(action: Action, _: FileContext) -> bool:
    return isinstance(action.node, ast.IndexStmt) and not action.node.concurrent


def _drops_index(action: Action, _: FileContext) -> bool:
    match action.node:
        case ast.DropStmt(removeType=enums.ObjectType.OBJECT_INDEX, concurrent=False):
            return True
    return False


def _reindexes(action: Action, _: FileContext) -> bool:
    is_reindex = isinstance(action.node, ast.ReindexStmt)
    return is_reindex and not _option(action.node.params, "concurrently")


def _rewrites(action: Action, context: FileContext) -> bool:
    match action.node:
        case ast.AlterTableMoveAllStmt():
            return True
        case ast.AlterTableCmd(subtype=subtype) if subtype in REWRITES:
            return True
        case ast.AlterTableCmd(subtype=_AT.AT_AddColumn):
            column = action.node.def_
            named = column.typeName.names[-1].sval
            return is_serial(column) or named in context.proofs.domains or _fills(action)
    return False


def _fills(action: Action) -> bool:
    """Tell whether each row of a new column gets a value of its own."""
    for constraint in of_column(action):
        match constraint.contype:
            case _CONSTRAINT.CONSTR_IDENTITY:
                return True
            case _CONSTRAINT.CONSTR_GENERATED:
                return bool(constraint.generated_kind == "s")
            case _CONSTRAINT.CONSTR_DEFAULT if called(constraint.raw_expr) & VOLATILE:
                return True
    return False


def _locks_table(action: Action, _: FileContext) -> bool:
    return isinstance(action.node, ast.LockStmt) and action.node.mode >= FIRST_BLOCKING_MODE


def _vacuums_fully(action: Action, _: FileContext) -> bool:
    if isinstance(action.node, ast.VacuumStmt):
        return _option(action.node.options, "full")
    return isinstance(action.node, ast.ClusterStmt)


def _refreshes(action: Action, _: FileContext) -> bool:
    return isinstance(action.node, ast.RefreshMatViewStmt) and not action.node.concurrent


RULES: Final = (
    Rule(
        name="blocking-create-index",
        refuses="`CREATE INDEX` without `CONCURRENTLY`",
        why="Nobody can write to the table while the index is built.",
        safe="Build it concurrently, in a file of its own outside a transaction.",
        example="CREATE INDEX customers_name ON customers (name);",
        instead="""
            -- orders: no-transaction
            CREATE INDEX CONCURRENTLY IF NOT EXISTS customers_name ON customers (name);
        """,
        finds=_creates_index,
    ),
    Rule(
        name="blocking-drop-index",
        refuses="`DROP INDEX` without `CONCURRENTLY`",
        why="It waits for every transaction that uses the table, and whoever comes later waits"
        " behind it.",
        safe="Drop it concurrently, in a file of its own outside a transaction.",
        example="DROP INDEX customers_email;",
        instead="""
            -- orders: no-transaction
            -- orders: allow drop-index because 1.4 was the last release that searched by email
            DROP INDEX CONCURRENTLY IF EXISTS customers_email;
        """,
        finds=_drops_index,
    ),
    Rule(
        name="blocking-reindex",
        refuses="`REINDEX` without `CONCURRENTLY`",
        why="Nobody can write to the table while the index is built.",
        safe="Build it anew concurrently, in a file of its own outside a transaction.",
        example="REINDEX INDEX customers_email;",
        instead="""
            -- orders: no-transaction
            REINDEX INDEX CONCURRENTLY customers_email;
        """,
        finds=_reindexes,
    ),
    Rule(
        name="rewrite",
        refuses="`ADD COLUMN` with a default that differs from row to row, stored and generated,"
        " an identity, `serial`, or of a domain with constraints; `SET EXPRESSION`,"
        " `SET LOGGED`, `SET UNLOGGED`, `SET TABLESPACE`, `SET ACCESS METHOD`",
        why="The whole table is written anew while nobody can use it.",
        safe="Add the column without a value, set the default for rows to come, and fill the"
        " others in batches. What concerns the whole table needs a new one.",
        example="ALTER TABLE customers ADD COLUMN token uuid DEFAULT gen_random_uuid();",
        instead="""
            ALTER TABLE customers ADD COLUMN token uuid;
            ALTER TABLE customers ALTER COLUMN token SET DEFAULT gen_random_uuid();

            UPDATE customers SET token = gen_random_uuid() WHERE id IN (
                SELECT id FROM customers WHERE token IS NULL ORDER BY id LIMIT 1000
            );
        """,
        finds=_rewrites,
    ),
    Rule(
        name="lock-table",
        refuses="`LOCK TABLE` in the mode `SHARE` or a stronger one, such as the default",
        why="Nobody can write to the table, or use it at all, until the file is done.",
        safe="Leave the locking to the statements. Against another migration there is the mode"
        " `SHARE UPDATE EXCLUSIVE`.",
        example="LOCK TABLE customers;",
        instead="LOCK TABLE customers IN SHARE UPDATE EXCLUSIVE MODE;",
        finds=_locks_table,
    ),
    Rule(
        name="vacuum-full",
        refuses="`VACUUM FULL`, `CLUSTER`",
        why="The whole table is written anew while nobody can use it.",
        safe="A plain `VACUUM` makes the space usable again.",
        example="""
            -- orders: no-transaction
            VACUUM FULL customers;
        """,
        instead="""
            -- orders: no-transaction
            VACUUM customers;
        """,
        finds=_vacuums_fully,
    ),
    Rule(
        name="blocking-refresh",
        refuses="`REFRESH MATERIALIZED VIEW` without `CONCURRENTLY`",
        why="Nobody can read the view while it is filled.",
        safe="Refresh it concurrently, for which it needs a unique index.",
        example="REFRESH MATERIALIZED VIEW customers_by_region;",
        instead="REFRESH MATERIALIZED VIEW CONCURRENTLY customers_by_region;",
        finds=_refreshes,
    ),
)
