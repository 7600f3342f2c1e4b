"""The effects of earlier statements, as far as they matter for judging the current one.

Nobody uses yet what a file itself made, so the file may do with it as it likes. A lock is kept to
the end of the file's transaction. And what earlier files proved about a column spares PostgreSQL
from reading the table when the column becomes NOT NULL.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from pglast import ast, enums

from orders.store.check.script import Action, Name, dotted, relation, walk

_AT: Final = enums.AlterTableType
_CONSTRAINT: Final = enums.ConstrType

GENTLE: Final = {
    _AT.AT_ValidateConstraint,
    _AT.AT_SetStatistics,
    _AT.AT_SetOptions,
    _AT.AT_ResetOptions,
    _AT.AT_SetRelOptions,
    _AT.AT_ResetRelOptions,
    _AT.AT_ClusterOn,
    _AT.AT_DropCluster,
}
"""Subcommands whose lock, SHARE UPDATE EXCLUSIVE, lets reads and writes pass."""
_STRONG: Final = (
    ast.AlterObjectSchemaStmt,
    ast.AlterPolicyStmt,
    ast.CreatePolicyStmt,
    ast.CreateTrigStmt,
    ast.RenameStmt,
    ast.RuleStmt,
    ast.TruncateStmt,
)
"""Statements whose lock conflicts with writes."""
FIRST_BLOCKING_MODE: Final = 5
"""SHARE in PostgreSQL's numbers. It and all above conflict with ROW EXCLUSIVE, that of writes."""


@dataclass
class Proofs:
    """What all files so far prove: domains that have constraints, columns that hold no NULL."""

    domains: set[str] = field(default_factory=set)
    _checks: dict[tuple[Name, str], frozenset[str]] = field(default_factory=dict)
    _valid: set[tuple[Name, str]] = field(default_factory=set)

    def is_not_null(self, table: Name, column: str) -> bool:
        """Tell whether a validated CHECK says that the column IS NOT NULL."""
        return any(key[0] == table and column in self._checks[key] for key in self._valid)

    def learn(self, action: Action) -> None:
        """Learn what an action proves, and forget what it invalidates."""
        match action.node:
            case ast.CreateDomainStmt() if action.node.constraints:
                self.domains.add(action.node.domainname[-1].sval)
            case ast.AlterTableCmd():
                (table,) = action.on
                self._alter(table, action.node)

    def _alter(self, table: Name, command: Any) -> None:
        if command.subtype == _AT.AT_AddConstraint and command.def_.conname:
            key = table, command.def_.conname
            self._checks[key] = frozenset(_never_null(command.def_))
            if not command.def_.skip_validation:
                self._valid.add(key)
        elif (
            command.subtype == _AT.AT_ValidateConstraint and (table, command.name) in self._checks
        ):
            self._valid.add((table, command.name))
        elif command.subtype == _AT.AT_DropConstraint:
            self._valid.discard((table, command.name))


@dataclass
class FileContext:
    """The file in hand: `made` is what it created, `locked` whether it keeps others waiting."""

    transactional: bool
    proofs: Proofs
    made: set[Name] = field(default_factory=set)
    locked: bool = False

    def is_new(self, names: Iterable[Name]) -> bool:
        """Tell whether there are names, and this file made all of them."""
        named = set(names)
        return bool(named) and named <= self.made

    def locks(self, action: Action) -> bool:
        """Tell whether an action locks out the writes of a table that was there before."""
        node: Any = action.node
        own = {*self.made, _made(node)}
        if any(relation(table) not in own for table in _referenced(node)):
            return True
        match node:
            case ast.AlterTableCmd():
                is_strong = node.subtype not in GENTLE
            case ast.IndexStmt() | ast.DropStmt():
                is_strong = not node.concurrent
            case ast.LockStmt():
                is_strong = node.mode >= FIRST_BLOCKING_MODE
            case _:
                is_strong = isinstance(node, _STRONG)
        return is_strong and not action.on <= self.made

    def learn(self, actions: Iterable[Action]) -> None:
        """Take in what a statement did, after it was judged."""
        for action in actions:
            if name := _made(action.node):
                self.made.add(name)
            if isinstance(action.node, ast.DropStmt):
                self.made -= action.on
            self.proofs.learn(action)


def _referenced(node: Any) -> Iterator[Any]:
    """Yield the tables that foreign keys of a new table or column refer to."""
    if isinstance(node, (ast.CreateStmt, ast.AlterTableCmd)):
        for part in walk(node):
            if isinstance(part, ast.Constraint) and part.contype == _CONSTRAINT.CONSTR_FOREIGN:
                yield part.pktable


def _never_null(constraint: Any) -> Iterator[str]:
    """Yield the columns of which a constraint says that they are not NULL."""
    if constraint.contype == _CONSTRAINT.CONSTR_NOTNULL:
        yield from (key.sval for key in constraint.keys)
    elif constraint.contype == _CONSTRAINT.CONSTR_CHECK:
        for term in conjuncts(constraint.raw_expr):
            is_test = isinstance(term, ast.NullTest) and isinstance(term.arg, ast.ColumnRef)
            if is_test and term.nulltesttype == enums.NullTestType.IS_NOT_NULL:
                yield from (part.sval for part in term.arg.fields if isinstance(part, ast.String))


def conjuncts(expression: Any) -> Iterator[Any]:
    """Yield what an expression joins by AND, or itself."""
    match expression:
        case ast.BoolExpr(boolop=enums.BoolExprType.AND_EXPR):
            for argument in expression.args or ():
                yield from conjuncts(argument)
        case _:
            yield expression


_MAKES: Final[dict[type, Callable[[Any], Name]]] = {
    ast.CompositeTypeStmt: lambda node: relation(node.typevar)._replace(kind="type"),
    ast.CreateDomainStmt: lambda node: dotted("type", node.domainname),
    ast.CreateEnumStmt: lambda node: dotted("type", node.typeName),
    ast.CreateRangeStmt: lambda node: dotted("type", node.typeName),
    ast.CreateSchemaStmt: lambda node: Name("schema", "", node.schemaname or ""),
    ast.CreateSeqStmt: lambda node: relation(node.sequence),
    ast.CreateStmt: lambda node: relation(node.relation),
    ast.CreateTableAsStmt: lambda node: relation(node.into.rel),
    ast.IndexStmt: lambda node: relation(node.relation)._replace(name=node.idxname or ""),
    ast.ViewStmt: lambda node: relation(node.view),
}


def _made(node: Any) -> Name | None:
    """Return what a statement creates for certain: otherwise it may have been there before."""
    make = _MAKES.get(type(node))
    is_certain = not any(getattr(node, clause, False) for clause in ("if_not_exists", "replace"))
    return make(node) if make and is_certain else None
