"""The last rule: anything that no other rule knows is refused, instead of taken for harmless."""

from typing import Any, Final

from pglast import ast, enums

from orders.store.check.changes import REWRITE_RULES, ROW_SECURITY, TRIGGERS
from orders.store.check.context import GENTLE, FileContext
from orders.store.check.functions import PLAIN, VOLATILE, called
from orders.store.check.locks import REWRITES
from orders.store.check.rule import Rule
from orders.store.check.script import Action, relation

_AT: Final = enums.AlterTableType

_KNOWN: Final = (
    # What other rules judge.
    ast.AlterDefaultPrivilegesStmt,
    ast.AlterEnumStmt,
    ast.AlterObjectSchemaStmt,
    ast.AlterOwnerStmt,
    ast.AlterPolicyStmt,
    ast.AlterTableMoveAllStmt,
    ast.ClusterStmt,
    ast.CreateFunctionStmt,
    ast.CreatePolicyStmt,
    ast.CreateTrigStmt,
    ast.DeleteStmt,
    ast.DropStmt,
    ast.GrantRoleStmt,
    ast.GrantStmt,
    ast.IndexStmt,
    ast.InsertStmt,
    ast.LockStmt,
    ast.MergeStmt,
    ast.RefreshMatViewStmt,
    ast.ReindexStmt,
    ast.RenameStmt,
    ast.RuleStmt,
    ast.SelectStmt,
    ast.TruncateStmt,
    ast.UpdateStmt,
    ast.VacuumStmt,
    ast.ViewStmt,
    # What only adds, and locks nothing for longer than a moment.
    ast.CommentStmt,
    ast.CompositeTypeStmt,
    ast.ConstraintsSetStmt,
    ast.CreateDomainStmt,
    ast.CreateEnumStmt,
    ast.CreateRangeStmt,
    ast.CreateSeqStmt,
    ast.CreateStatsStmt,
    ast.VariableShowStmt,
)
_KNOWN_COMMANDS: Final = (
    GENTLE
    | REWRITES
    | REWRITE_RULES
    | ROW_SECURITY
    | TRIGGERS
    | {
        _AT.AT_AddColumn,
        _AT.AT_AddConstraint,
        _AT.AT_AlterColumnType,
        _AT.AT_ChangeOwner,
        _AT.AT_ColumnDefault,
        _AT.AT_DropColumn,
        _AT.AT_DropConstraint,
        _AT.AT_DropExpression,
        _AT.AT_DropIdentity,
        _AT.AT_DropNotNull,
        _AT.AT_SetCompression,
        _AT.AT_SetNotNull,
        _AT.AT_SetStorage,
    }
)
_REACHES_OTHERS: Final = {_AT.AT_AddInherit, _AT.AT_AddOf, _AT.AT_AttachPartition}
"""Subcommands that concern another table than the one that they are of."""
_SAVEPOINTS: Final = {
    enums.TransactionStmtKind.TRANS_STMT_SAVEPOINT,
    enums.TransactionStmtKind.TRANS_STMT_RELEASE,
}
_SETTINGS: Final = {
    "client_min_messages",
    "maintenance_work_mem",
    "max_parallel_maintenance_workers",
    "statement_timeout",
    "work_mem",
    # Another rule refuses these; RESET ALL has no name.
    "lock_timeout",
    None,
}
_CALLS: Final = (
    ast.AlterTableCmd,
    ast.CreateTableAsStmt,
    ast.DeleteStmt,
    ast.IndexStmt,
    ast.InsertStmt,
    ast.MergeStmt,
    ast.SelectStmt,
    ast.UpdateStmt,
)
"""What calls the functions that it names; views, triggers and new tables only keep the names."""


def _cannot_tell(action: Action, context: FileContext) -> bool:
    node: Any = action.node
    is_called = isinstance(node, _CALLS) and called(node) - PLAIN - VOLATILE
    return bool(is_called) or not _is_known(action, context)


def _is_known(action: Action, context: FileContext) -> bool:
    node: Any = action.node
    match node:
        case ast.AlterTableCmd() if context.is_new(action.on):
            known = node.subtype not in _REACHES_OTHERS
        case ast.AlterTableCmd():
            known = node.subtype in _KNOWN_COMMANDS
        case ast.CreateStmt():
            known = {relation(parent) for parent in node.inhRelations or ()} <= context.made
        case ast.CreateSchemaStmt():
            known = not node.schemaElts
        case ast.CreateTableAsStmt():
            known = isinstance(node.query, ast.SelectStmt)
        case ast.TransactionStmt():
            known = node.kind in _SAVEPOINTS
        case ast.VariableSetStmt():
            known = node.name in _SETTINGS
        case _:
            known = isinstance(node, _KNOWN)
    return known


RULES: Final = (
    Rule(
        name="cannot-be-checked",
        refuses="`DO`, `CALL`, `EXECUTE`, a function that is not known, and every statement that"
        " no rule is about",
        why="What it does is not in the text of the file.",
        safe="Write the statements themselves. If there is no other way, say in the file why the"
        " release before does not notice.",
        example="DO $$ BEGIN ALTER TABLE customers ADD COLUMN note text; END $$;",
        instead="ALTER TABLE customers ADD COLUMN note text;",
        finds=_cannot_tell,
        of_own_too=True,
    ),
)
