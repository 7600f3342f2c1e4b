"""Rules: objects that may not be dropped while a release that uses them may run or come back."""

from typing import Any, Final

from pglast import ast, enums

from orders.store.check.context import FileContext
from orders.store.check.rule import Finds, Rule, finds_commands
from orders.store.check.script import Action

_AT: Final = enums.AlterTableType
_OBJECT: Final = enums.ObjectType

_TABLES: Final = {_OBJECT.OBJECT_TABLE, _OBJECT.OBJECT_FOREIGN_TABLE}
_VIEWS: Final = {_OBJECT.OBJECT_VIEW, _OBJECT.OBJECT_MATVIEW}
_TYPES: Final = {_OBJECT.OBJECT_TYPE, _OBJECT.OBJECT_DOMAIN}
_INDEXES: Final = {_OBJECT.OBJECT_INDEX}
_NAMED: Final = _TABLES | _VIEWS | _TYPES | _INDEXES

_LATER: Final = (
    "Drop it in a release after the last one that uses it, and say in the file which one that was."
)


def _drops(kinds: set[enums.ObjectType]) -> Finds:
    """Return a function that finds a DROP of these kinds of objects."""

    def finds(action: Action, _: FileContext) -> bool:
        return isinstance(action.node, ast.DropStmt) and action.node.removeType in kinds

    return finds


def _drops_another(action: Action, _: FileContext) -> bool:
    return isinstance(action.node, ast.DropStmt) and action.node.removeType not in _NAMED


def _drops_default(action: Action, _: FileContext) -> bool:
    node: Any = action.node
    match node:
        case ast.AlterTableCmd(subtype=_AT.AT_ColumnDefault):
            return node.def_ is None
        case ast.AlterTableCmd(subtype=_AT.AT_DropIdentity | _AT.AT_DropExpression):
            return True
    return False


RULES: Final = (
    Rule(
        name="drop-table",
        refuses="`DROP TABLE`",
        why="The release before reads or writes the table, and fails without it.",
        safe=_LATER,
        example="DROP TABLE customers;",
        instead="""
            -- orders: allow drop-table because 1.4 was the last release that used it
            DROP TABLE customers;
        """,
        finds=_drops(_TABLES),
    ),
    Rule(
        name="drop-column",
        refuses="`ALTER TABLE ... DROP COLUMN`",
        why="The release before names the column in its statements, which fail without it.",
        safe=_LATER,
        example="ALTER TABLE customers DROP COLUMN name;",
        instead="""
            -- orders: allow drop-column because 1.4 was the last release that named it
            ALTER TABLE customers DROP COLUMN name;
        """,
        finds=finds_commands(_AT.AT_DropColumn),
    ),
    Rule(
        name="drop-view",
        refuses="`DROP VIEW`, `DROP MATERIALIZED VIEW`",
        why="The release before reads the view, and fails without it.",
        safe=_LATER,
        example="DROP VIEW customer_names;",
        instead="""
            -- orders: allow drop-view because 1.4 was the last release that read it
            DROP VIEW customer_names;
        """,
        finds=_drops(_VIEWS),
    ),
    Rule(
        name="drop-type",
        refuses="`DROP TYPE`, `DROP DOMAIN`",
        why="The release before names the type in casts and parameters, which fail without it.",
        safe=_LATER,
        example="DROP TYPE tier;",
        instead="""
            -- orders: allow drop-type because 1.4 was the last release that named it
            DROP TYPE tier;
        """,
        finds=_drops(_TYPES),
    ),
    Rule(
        name="drop-index",
        refuses="`DROP INDEX`, with `CONCURRENTLY` too",
        why="Without the index, queries of the release before read whole tables, and `ON CONFLICT`"
        " fails if the index was unique.",
        safe="Drop it in a release after the last one whose queries use it, and say in the file"
        " which one that was.",
        example="""
            -- orders: no-transaction
            DROP INDEX CONCURRENTLY IF EXISTS customers_email;
        """,
        instead="""
            -- orders: no-transaction
            -- orders: allow drop-index because 1.4 was the last release that searched by email
            DROP INDEX CONCURRENTLY IF EXISTS customers_email;
        """,
        finds=_drops(_INDEXES),
    ),
    Rule(
        name="drop-object",
        refuses="`DROP` of anything else: a schema, sequence, function, trigger, extension ...",
        why="The release before calls it, or counts on what it does.",
        safe=_LATER,
        example="DROP SEQUENCE invoice_numbers;",
        instead="""
            -- orders: allow drop-object because 1.4 was the last release that took numbers
            DROP SEQUENCE invoice_numbers;
        """,
        finds=_drops_another,
    ),
    Rule(
        name="drop-constraint",
        refuses="`ALTER TABLE ... DROP CONSTRAINT`",
        why="Rows may then be what the release before takes to be impossible, and its"
        " `ON CONFLICT` fails if the constraint was unique.",
        safe="Drop it in a release after the last one that counts on it, and say in the file which"
        " one that was.",
        example="ALTER TABLE customers DROP CONSTRAINT customers_reference;",
        instead="""
            -- orders: allow drop-constraint because 1.4 was the last release that counted on it
            ALTER TABLE customers DROP CONSTRAINT customers_reference;
        """,
        finds=finds_commands(_AT.AT_DropConstraint),
    ),
    Rule(
        name="drop-not-null",
        refuses="`ALTER COLUMN ... DROP NOT NULL`",
        why="The release before then reads rows with a NULL where it expects a value.",
        safe="Drop it in a release after the last one that cannot read a NULL there, and say in"
        " the file which one that was.",
        example="ALTER TABLE customers ALTER COLUMN email DROP NOT NULL;",
        instead="""
            -- orders: allow drop-not-null because releases since 1.4 read a NULL as no address
            ALTER TABLE customers ALTER COLUMN email DROP NOT NULL;
        """,
        finds=finds_commands(_AT.AT_DropNotNull),
    ),
    Rule(
        name="drop-default",
        refuses="`ALTER COLUMN ... DROP DEFAULT`, `DROP IDENTITY`, `DROP EXPRESSION`",
        why="The release before leaves the value to the database; its rows then get NULL, or are"
        " refused.",
        safe="Drop it in a release after the last one that leaves the value out, and say in the"
        " file which one that was.",
        example="ALTER TABLE customers ALTER COLUMN region DROP DEFAULT;",
        instead="""
            -- orders: allow drop-default because releases since 1.4 always name a region
            ALTER TABLE customers ALTER COLUMN region DROP DEFAULT;
        """,
        finds=_drops_default,
    ),
)
