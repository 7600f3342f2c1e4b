"""Rules: constraints that may not be put on rows of the previous release, old or new.

A constraint that is checked at once is checked under a lock that lets no write pass.
"""

from collections.abc import Iterator
from typing import Any, Final

from pglast import ast, enums

from orders.store.check.context import FileContext
from orders.store.check.rule import Rule
from orders.store.check.script import Action

_AT: Final = enums.AlterTableType
_CONSTRAINT: Final = enums.ConstrType

_VALUES: Final = {
    _CONSTRAINT.CONSTR_DEFAULT,
    _CONSTRAINT.CONSTR_GENERATED,
    _CONSTRAINT.CONSTR_IDENTITY,
}
_BY_INDEX: Final = {
    _CONSTRAINT.CONSTR_PRIMARY,
    _CONSTRAINT.CONSTR_UNIQUE,
    _CONSTRAINT.CONSTR_EXCLUSION,
}
_SERIAL: Final = {"serial", "bigserial", "smallserial", "serial2", "serial4", "serial8"}


def of_column(action: Action) -> list[Any]:
    """Return the constraints of a column that ALTER TABLE adds, its default among them."""
    match action.node:
        case ast.AlterTableCmd(subtype=_AT.AT_AddColumn):
            return list(action.node.def_.constraints or ())
    return []


def is_serial(column: Any) -> bool:
    """Tell whether a column numbers its rows by itself."""
    return column.typeName.names[-1].sval in _SERIAL


def _of_table(action: Action) -> Iterator[Any]:
    """Yield the constraint that ALTER TABLE adds and checks at once."""
    match action.node:
        case ast.AlterTableCmd(subtype=_AT.AT_AddConstraint) if (
            not action.node.def_.skip_validation
        ):
            yield action.node.def_


def _default(constraints: list[Any]) -> Any:
    """Return what gives existing rows a value; None if nothing does."""
    for constraint in constraints:
        value = constraint.raw_expr
        while isinstance(value, ast.TypeCast):
            value = value.arg
        is_null = isinstance(value, ast.A_Const) and value.isnull
        if constraint.contype in _VALUES and not is_null and constraint.generated_kind != "v":
            return constraint
    return None


def _adds_required_column(action: Action, _: FileContext) -> bool:
    constraints = of_column(action)
    required = {_CONSTRAINT.CONSTR_NOTNULL, _CONSTRAINT.CONSTR_PRIMARY}
    if not any(constraint.contype in required for constraint in constraints):
        return False
    return _default(constraints) is None and not is_serial(action.node.def_)


def _sets_not_null(action: Action, context: FileContext) -> bool:
    match action.node:
        case ast.AlterTableCmd(subtype=_AT.AT_SetNotNull):
            (table,) = action.on
            return not context.proofs.is_not_null(table, action.node.name)
    # A primary key over an index that is there sets its columns NOT NULL, and does not name them.
    required = {_CONSTRAINT.CONSTR_NOTNULL, _CONSTRAINT.CONSTR_PRIMARY}
    return any(constraint.contype in required for constraint in _of_table(action))


def _adds_check(action: Action, _: FileContext) -> bool:
    added = (*_of_table(action), *of_column(action))
    return any(constraint.contype == _CONSTRAINT.CONSTR_CHECK for constraint in added)


def _adds_foreign_key(action: Action, _: FileContext) -> bool:
    """Find one whose rows are checked; a new column that is NULL everywhere needs no check."""
    added = list(_of_table(action))
    constraints = of_column(action)
    if _default(constraints):
        added += constraints
    return any(constraint.contype == _CONSTRAINT.CONSTR_FOREIGN for constraint in added)


def _makes_unique(action: Action, _: FileContext) -> bool:
    if isinstance(action.node, ast.IndexStmt):
        return bool(action.node.unique)
    return any(
        constraint.contype in _BY_INDEX and not constraint.indexname
        for constraint in _of_table(action)
    )


def _builds_index(action: Action, _: FileContext) -> bool:
    added = (*_of_table(action), *of_column(action))
    return any(
        constraint.contype in _BY_INDEX and not constraint.indexname for constraint in added
    )


RULES: Final = (
    Rule(
        name="required-column",
        refuses="`ADD COLUMN ... NOT NULL` without a default",
        why="The release before does not name the column, so each row that it adds is refused. A"
        " table that has rows refuses the column itself.",
        safe="Give it a constant default, or let it be NULL.",
        example="ALTER TABLE customers ADD COLUMN note text NOT NULL;",
        instead="ALTER TABLE customers ADD COLUMN note text NOT NULL DEFAULT '';",
        finds=_adds_required_column,
    ),
    Rule(
        name="set-not-null",
        refuses="`SET NOT NULL`, unless files before have validated `CHECK (... IS NOT NULL)`;"
        " a new primary key",
        why="A row of the release before without a value is refused, and PostgreSQL reads the"
        " whole table while nobody can use it.",
        safe="Once no running release writes NULL: add a CHECK that is not valid, validate it in"
        " the next file, and set NOT NULL in the one after, which then reads nothing.",
        example="ALTER TABLE customers ALTER COLUMN name SET NOT NULL;",
        instead="""
            ALTER TABLE customers
                ADD CONSTRAINT customers_name CHECK (name IS NOT NULL) NOT VALID;

            ALTER TABLE customers VALIDATE CONSTRAINT customers_name;

            ALTER TABLE customers ALTER COLUMN name SET NOT NULL;
        """,
        finds=_sets_not_null,
    ),
    Rule(
        name="new-check",
        refuses="`ADD CONSTRAINT ... CHECK` without `NOT VALID`; `ADD COLUMN ... CHECK`",
        why="PostgreSQL reads the whole table while nobody can use it, and a row of the release"
        " before that breaks the constraint is refused.",
        safe="Once no running release writes what it forbids: add it `NOT VALID`, and validate it"
        " in the next file.",
        example="ALTER TABLE customers ADD CONSTRAINT customers_visits CHECK (visits >= 0);",
        instead="""
            ALTER TABLE customers
                ADD CONSTRAINT customers_visits CHECK (visits >= 0) NOT VALID;

            ALTER TABLE customers VALIDATE CONSTRAINT customers_visits;
        """,
        finds=_adds_check,
    ),
    Rule(
        name="new-foreign-key",
        refuses="`ADD FOREIGN KEY` without `NOT VALID`; `ADD COLUMN ... REFERENCES` with a"
        " default",
        why="PostgreSQL reads both tables while neither can be written, and a row of the release"
        " before that refers to nothing is refused.",
        safe="Once no running release writes what it forbids: add it `NOT VALID`, and validate it"
        " in the next file.",
        example="""
            ALTER TABLE invoices ADD CONSTRAINT invoices_customer
                FOREIGN KEY (customer) REFERENCES customers;
        """,
        instead="""
            ALTER TABLE invoices ADD CONSTRAINT invoices_customer
                FOREIGN KEY (customer) REFERENCES customers NOT VALID;

            ALTER TABLE invoices VALIDATE CONSTRAINT invoices_customer;
        """,
        finds=_adds_foreign_key,
    ),
    Rule(
        name="new-unique",
        refuses="`CREATE UNIQUE INDEX`, and `UNIQUE`, `PRIMARY KEY` and `EXCLUDE` that make one",
        why="The release before may write the same value twice, and its second row is refused.",
        safe="Once no running release writes a value twice, build the index concurrently, and say"
        " so in the file.",
        example="""
            -- orders: no-transaction
            CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS customers_name ON customers (name);
        """,
        instead="""
            -- orders: no-transaction
            -- orders: allow new-unique because releases since 1.4 ask for a free name first
            CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS customers_name ON customers (name);
        """,
        finds=_makes_unique,
    ),
    Rule(
        name="blocking-unique",
        refuses="`UNIQUE`, `PRIMARY KEY` and `EXCLUDE` in `ALTER TABLE`, without `USING INDEX`",
        why="The index is built while nobody can use the table.",
        safe="Build the index concurrently in a file of its own, and make the constraint of it in"
        " the next. An `EXCLUDE` cannot be made of one: it needs a new table.",
        example="ALTER TABLE customers ADD CONSTRAINT customers_name UNIQUE (name);",
        instead="""
            -- orders: no-transaction
            -- orders: allow new-unique because releases since 1.4 ask for a free name first
            CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS customers_name ON customers (name);

            ALTER TABLE customers ADD CONSTRAINT customers_name UNIQUE USING INDEX customers_name;
        """,
        finds=_builds_index,
    ),
)
