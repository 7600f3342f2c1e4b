"""Rules: objects that may not change while a release uses them as they were."""

from typing import Any, Final

from pglast import ast, enums

from orders.store.check.context import FileContext
from orders.store.check.rule import Rule, finds_commands
from orders.store.check.script import Action

_AT: Final = enums.AlterTableType

ROW_SECURITY: Final = {
    _AT.AT_EnableRowSecurity,
    _AT.AT_DisableRowSecurity,
    _AT.AT_ForceRowSecurity,
    _AT.AT_NoForceRowSecurity,
}
TRIGGERS: Final = {
    _AT.AT_EnableTrig,
    _AT.AT_EnableAlwaysTrig,
    _AT.AT_EnableReplicaTrig,
    _AT.AT_EnableTrigAll,
    _AT.AT_EnableTrigUser,
    _AT.AT_DisableTrig,
    _AT.AT_DisableTrigAll,
    _AT.AT_DisableTrigUser,
}
REWRITE_RULES: Final = {
    _AT.AT_EnableRule,
    _AT.AT_EnableAlwaysRule,
    _AT.AT_EnableReplicaRule,
    _AT.AT_DisableRule,
}


def _renames(action: Action, _: FileContext) -> bool:
    node: Any = action.node
    if isinstance(node, ast.AlterEnumStmt):
        return node.oldVal is not None
    return isinstance(node, (ast.RenameStmt, ast.AlterObjectSchemaStmt))


def _replaces(action: Action, _: FileContext) -> bool:
    match action.node:
        case ast.ViewStmt(replace=True) | ast.CreateFunctionStmt(replace=True):
            return True
    return False


def _truncates(action: Action, _: FileContext) -> bool:
    return isinstance(action.node, ast.TruncateStmt)


def _revokes(action: Action, _: FileContext) -> bool:
    node: Any = action.node
    match node:
        case ast.GrantStmt() | ast.GrantRoleStmt():
            return not node.is_grant
        case ast.AlterDefaultPrivilegesStmt():
            return not node.action.is_grant
        case ast.AlterOwnerStmt() | ast.AlterTableCmd(subtype=_AT.AT_ChangeOwner):
            return True
    return False


def _touches_triggers(action: Action, _: FileContext) -> bool:
    node: Any = action.node
    if isinstance(node, ast.AlterTableCmd):
        return node.subtype in TRIGGERS
    return isinstance(node, ast.CreateTrigStmt)


def _touches_rewrite_rules(action: Action, _: FileContext) -> bool:
    node: Any = action.node
    if isinstance(node, ast.AlterTableCmd):
        return node.subtype in REWRITE_RULES
    return isinstance(node, ast.RuleStmt)


def _touches_row_security(action: Action, _: FileContext) -> bool:
    node: Any = action.node
    if isinstance(node, ast.AlterTableCmd):
        return node.subtype in ROW_SECURITY
    return isinstance(node, (ast.CreatePolicyStmt, ast.AlterPolicyStmt))


RULES: Final = (
    Rule(
        name="rename",
        refuses="`RENAME` of anything, `SET SCHEMA`",
        why="The release before uses the old name, and fails.",
        safe="Add the new name beside the old one, and write both from one release on; the old one"
        " goes when no release uses it.",
        example="ALTER TABLE customers RENAME COLUMN name TO full_name;",
        instead="ALTER TABLE customers ADD COLUMN full_name text;",
        finds=_renames,
    ),
    Rule(
        name="change-type",
        refuses="`ALTER COLUMN ... TYPE`",
        why="The release before binds and reads the old type. Most changes also write the whole"
        " table anew, while nobody can read it.",
        safe="Add a column of the new type, write both from one release on, and fill the new one"
        " in batches.",
        example="ALTER TABLE customers ALTER COLUMN visits TYPE bigint;",
        instead="ALTER TABLE customers ADD COLUMN visits_64 bigint;",
        finds=finds_commands(_AT.AT_AlterColumnType),
    ),
    Rule(
        name="replace",
        refuses="`CREATE OR REPLACE` of a view or function",
        why="The release before goes on using the name, and gets what the new one returns.",
        safe="Create it under a new name. What is new needs no `OR REPLACE`.",
        example="""
            CREATE OR REPLACE VIEW customer_names AS SELECT id, upper(name) AS name FROM customers;
        """,
        instead="""
            CREATE VIEW customer_names_2 AS SELECT id, upper(name) AS name FROM customers;
        """,
        finds=_replaces,
    ),
    Rule(
        name="truncate",
        refuses="`TRUNCATE`",
        why="The release before loses its rows, and nobody can read the table meanwhile.",
        safe="Delete what no release needs, in batches by the table's key.",
        example="TRUNCATE customers;",
        instead="""
            DELETE FROM customers WHERE id IN (
                SELECT id FROM customers WHERE closed_at < '2020-01-01' ORDER BY id LIMIT 1000
            );
        """,
        finds=_truncates,
    ),
    Rule(
        name="revoke",
        refuses="`REVOKE`, `OWNER TO`",
        why="The role of the release before may lose a right that its statements need.",
        safe="Revoke in a release after the last one that needs the right, and say in the file"
        " which one that was.",
        example="REVOKE INSERT ON customers FROM PUBLIC;",
        instead="""
            -- orders: allow revoke because releases since 1.4 only read customers
            REVOKE INSERT ON customers FROM PUBLIC;
        """,
        finds=_revokes,
    ),
    Rule(
        name="trigger",
        refuses="`CREATE TRIGGER`, `ENABLE TRIGGER`, `DISABLE TRIGGER`",
        why="The writes of the release before run into it, or miss it, and nobody tested the two"
        " together.",
        safe="Do it in the code of the new release. If it has to be a trigger that cannot fail and"
        " changes nothing that the release before reads, say so in the file.",
        example="""
            CREATE TRIGGER customers_touch BEFORE UPDATE ON customers
                FOR EACH ROW EXECUTE FUNCTION touch();
        """,
        instead="""
            -- orders: allow trigger because it only sets a column that 1.4 does not read
            CREATE TRIGGER customers_touch BEFORE UPDATE ON customers
                FOR EACH ROW EXECUTE FUNCTION touch();
        """,
        finds=_touches_triggers,
    ),
    Rule(
        name="rewrite-rule",
        refuses="`CREATE RULE`, `ENABLE RULE`, `DISABLE RULE`",
        why="It turns statements of the release before into others.",
        safe="Do it in the code of the new release, on a view of its own.",
        example="CREATE RULE keep AS ON DELETE TO customers DO INSTEAD NOTHING;",
        instead="""
            CREATE VIEW open_customers AS SELECT id FROM customers WHERE closed_at IS NULL;
        """,
        finds=_touches_rewrite_rules,
    ),
    Rule(
        name="row-security",
        refuses="`ENABLE ROW LEVEL SECURITY` and its like, `CREATE POLICY`, `ALTER POLICY`",
        why="The release before sees fewer rows, or its writes are refused.",
        safe="Enable it when every release that may run meets the policy, and say so in the file.",
        example="ALTER TABLE customers ENABLE ROW LEVEL SECURITY;",
        instead="""
            -- orders: allow row-security because releases since 1.4 connect as the owner
            ALTER TABLE customers ENABLE ROW LEVEL SECURITY;
        """,
        finds=_touches_row_security,
    ),
)
