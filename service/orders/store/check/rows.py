"""The rule about rows: a file changes as many as one transaction can in a moment."""

from typing import Any, Final

from pglast import ast, enums

from orders.store.check.context import FileContext, conjuncts
from orders.store.check.rule import Rule
from orders.store.check.script import Action

BATCH: Final = 10_000
"""How many rows a statement may change."""


def is_unbounded(node: Any) -> bool:
    """Tell whether a statement may change or lock more rows than `BATCH`."""
    match node:
        case ast.MergeStmt():
            return True
        case ast.UpdateStmt() | ast.DeleteStmt():
            return not any(_picks_few(term) for term in conjuncts(node.whereClause))
        case ast.InsertStmt():
            query = node.selectStmt
            is_query = query and (query.fromClause or query.op != enums.SetOperation.SETOP_NONE)
            return bool(is_query) and not _is_small(query)
        case ast.SelectStmt():
            return bool(node.lockingClause) and not _is_small(node)
    return False


def _picks_few(term: Any) -> bool:
    """Tell whether a condition is `... IN (SELECT ... FROM ... LIMIT n)`."""
    match term:
        case ast.SubLink(subLinkType=enums.SubLinkType.ANY_SUBLINK, operName=None):
            query: Any = term.subselect
            return bool(query.fromClause) and _is_small(query)
    return False


def _is_small(query: Any) -> bool:
    match query.limitCount:
        case ast.A_Const(val=ast.Integer(ival=int() as count)):
            return count <= BATCH
    return False


def _changes_many(action: Action, _: FileContext) -> bool:
    return is_unbounded(action.node)


RULES: Final = (
    Rule(
        name="unbatched",
        refuses="`UPDATE`, `DELETE`, `INSERT ... SELECT` and `SELECT ... FOR UPDATE` without a"
        f" `LIMIT` of {BATCH:,} or less, `MERGE`",
        why="Whoever changes one of the rows waits until the last one is done, and no dead row is"
        " cleaned up meanwhile.",
        safe=f"Pick at most {BATCH:,} rows by the table's key. For more than a few files can do,"
        " have a program change them batch by batch.",
        example="UPDATE customers SET region = 'eu';",
        instead="""
            UPDATE customers SET region = 'eu' WHERE id IN (
                SELECT id FROM customers WHERE region IS NULL ORDER BY id LIMIT 1000
            );
        """,
        finds=_changes_many,
    ),
)
