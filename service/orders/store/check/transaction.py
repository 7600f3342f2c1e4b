"""Rules: statements that are fine alone, but not in a file's transaction, or not outside one."""

from typing import Any, Final

from pglast import ast, enums

from orders.store.check.context import FileContext
from orders.store.check.rows import is_unbounded
from orders.store.check.rule import Rule
from orders.store.check.script import Action, relation, walk

_AT: Final = enums.AlterTableType


def _works_under_lock(action: Action, context: FileContext) -> bool:
    """Find an action that reads a table in use, in a file that keeps other sessions waiting."""
    node: Any = action.node
    match node:
        case ast.AlterTableCmd():
            is_long = node.subtype == _AT.AT_ValidateConstraint
        case ast.CreateTableAsStmt():
            is_long = not node.into.skipData
        case ast.SelectStmt():
            is_long = node.limitCount is None
        case _:
            is_long = is_unbounded(node)
    tables = {relation(each) for each in walk(node) if isinstance(each, ast.RangeVar)} | action.on
    return context.locked and is_long and not tables <= context.made


def _waits_for_ever(action: Action, context: FileContext) -> bool:
    return not context.transactional and context.locks(action)


def _sets_lock_timeout(action: Action, _: FileContext) -> bool:
    node: Any = action.node
    if not isinstance(node, ast.VariableSetStmt):
        return False
    is_all = node.kind == enums.VariableSetKind.VAR_RESET_ALL
    return bool(is_all or node.name == "lock_timeout")


RULES: Final = (
    Rule(
        name="lock-kept",
        refuses="`VALIDATE CONSTRAINT`, or what reads a whole table, in a file that locks one",
        why="A lock is kept until the file is done. What is gone in a moment alone, such as that"
        " of `ADD COLUMN`, then lasts for as long as a table is read.",
        safe="Give the long statement a file of its own, after the one that locks.",
        example="""
            ALTER TABLE customers
                ADD CONSTRAINT customers_visits CHECK (visits >= 0) NOT VALID;
            ALTER TABLE customers VALIDATE CONSTRAINT customers_visits;
        """,
        instead="""
            ALTER TABLE customers
                ADD CONSTRAINT customers_visits CHECK (visits >= 0) NOT VALID;

            ALTER TABLE customers VALIDATE CONSTRAINT customers_visits;
        """,
        finds=_works_under_lock,
        of_own_too=True,
    ),
    Rule(
        name="lock-timeout",
        refuses="`SET lock_timeout`, `RESET lock_timeout`, `RESET ALL`",
        why="`orders migrate` gives up a lock after 2 seconds, as whoever needs the table queues"
        " behind the one that waits. This changes that.",
        safe="Leave it out, and run with `--wait`, which tries again.",
        example="""
            SET lock_timeout = '1min';
            ALTER TABLE customers ADD COLUMN note text;
        """,
        instead="ALTER TABLE customers ADD COLUMN note text;",
        finds=_sets_lock_timeout,
    ),
    Rule(
        name="outside-transaction",
        refuses="what locks a table, in a file with the marker `-- orders: no-transaction`",
        why="Such a file has no `lock_timeout`: while it waits for the longest transaction,"
        " whoever needs the table queues behind it.",
        safe="Take the marker away. It is for what PostgreSQL refuses inside a transaction.",
        example="""
            -- orders: no-transaction
            ALTER TABLE customers ADD COLUMN note text;
        """,
        instead="ALTER TABLE customers ADD COLUMN note text;",
        finds=_waits_for_ever,
    ),
)
