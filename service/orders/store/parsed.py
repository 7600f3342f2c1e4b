"""Which rules a statement breaks, from PostgreSQL's own parser.

pglast is that parser as a library. What is not known here is not passed: `cannot-be-checked`.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Final, NamedTuple

from pglast import ast, enums, parse_sql
from pglast.parser import ParseError
from pglast.visitors import Visitor

_SAFE: Final = (
    ast.CommentStmt,
    ast.CompositeTypeStmt,
    ast.CreateDomainStmt,
    ast.CreateEnumStmt,
    ast.CreateExtensionStmt,
    ast.CreateRangeStmt,
    ast.CreateSchemaStmt,
    ast.CreateSeqStmt,
    ast.CreateStatsStmt,
    ast.InsertStmt,
    ast.TransactionStmt,  # savepoints: what reads files refuses the others
    ast.VariableSetStmt,
)
_PURE: Final = frozenset({"now", "statement_timestamp", "transaction_timestamp", "set_config"})
"""Functions that are evaluated once for a statement; any other may be volatile."""
_QUIET: Final = frozenset(
    {
        enums.AlterTableType.AT_ResetRelOptions,
        enums.AlterTableType.AT_SetOptions,
        enums.AlterTableType.AT_SetRelOptions,
        enums.AlterTableType.AT_SetStatistics,
        enums.AlterTableType.AT_ValidateConstraint,
    }
)
_BY_KIND: Final = {
    enums.AlterTableType.AT_AlterColumnType: "type-change",
    enums.AlterTableType.AT_DropColumn: "drop",
    enums.AlterTableType.AT_DropConstraint: "drop",
    enums.AlterTableType.AT_DropNotNull: "nullable",
    enums.AlterTableType.AT_SetNotNull: "not-null",
    enums.AlterTableType.AT_AddIdentity: "required-column",
    enums.AlterTableType.AT_SetExpression: "rewrite",
    enums.AlterTableType.AT_SetLogged: "rewrite",
    enums.AlterTableType.AT_SetUnLogged: "rewrite",
    enums.AlterTableType.AT_SetTableSpace: "rewrite",
    enums.AlterTableType.AT_SetAccessMethod: "rewrite",
    enums.AlterTableType.AT_EnableRowSecurity: "trigger",
    enums.AlterTableType.AT_ForceRowSecurity: "trigger",
    enums.AlterTableType.AT_EnableTrig: "trigger",
    enums.AlterTableType.AT_EnableRule: "trigger",
}
_SERIAL: Final = frozenset({"serial", "serial2", "serial4", "serial8", "bigserial", "smallserial"})


class Statement(NamedTuple):
    """A statement: the line on which it begins, its text, and the rules that it breaks."""

    line: int
    text: str
    broken: tuple[str, ...]


def statements(text: str) -> list[Statement]:
    """Return the statements of a file with the rules that each breaks.

    Raises:
        ValueError: it is not SQL as PostgreSQL knows it.

    """
    try:
        parsed = parse_sql(text)
    except ParseError as error:
        raise ValueError(str(error)) from None
    made: set[str] = set()
    found = []
    for raw in parsed:
        at = raw.stmt_location or 0
        end = at + raw.stmt_len if raw.stmt_len else len(text)
        start = _begin(text, at)
        broken = tuple(dict.fromkeys(_broken(raw.stmt, made)))
        found.append(Statement(text.count("\n", 0, start) + 1, text[start:end].strip(), broken))
    return found


def _begin(text: str, at: int) -> int:
    """Return where the statement begins that the white space and comments at `at` precede."""
    while True:
        rest = text[at:]
        at += len(rest) - len(rest.lstrip())
        if text.startswith("--", at):
            at = text.find("\n", at) + 1 or len(text)
        elif text.startswith("/*", at):
            at = text.find("*/", at) + 2
        else:
            return at


def _broken(node: Any, made: set[str]) -> Iterable[str]:
    """Return the rules that a statement breaks; what it makes is added to `made`."""
    if isinstance(node, _SAFE):
        return ()
    judge = _JUDGES.get(type(node))
    return ("cannot-be-checked",) if judge is None else judge(node, made)


def _table_made(node: Any, made: set[str]) -> Iterable[str]:
    made.add(node.relation.relname)
    return ()


def _table_selected(node: Any, made: set[str]) -> Iterable[str]:
    made.add(node.into.rel.relname)
    return ()


def _viewed(node: Any, made: set[str]) -> Iterable[str]:
    replaces = node.replace and node.view.relname not in made
    made.add(node.view.relname)
    return _if(replaces, "replace")


def _table_altered(node: Any, made: set[str]) -> Iterable[str]:
    if node.relation.relname in made:
        return ()
    return [name for command in node.cmds for name in _altered(command)]


def _renamed(node: Any, made: set[str]) -> Iterable[str]:
    return _if(node.relation is None or node.relation.relname not in made, "rename")


def _truncated(node: Any, made: set[str]) -> Iterable[str]:
    return _if(any(it.relname not in made for it in node.relations), "truncate")


def _changed(node: Any, made: set[str]) -> Iterable[str]:
    whole = node.whereClause is None and node.relation.relname not in made
    return _if(whole, "whole-table")


def _triggered(node: Any, made: set[str]) -> Iterable[str]:
    return _if(node.relation.relname not in made, "trigger")


def _policed(node: Any, made: set[str]) -> Iterable[str]:
    return _if(node.table.relname not in made, "trigger")


def _domain_altered(node: Any, _: set[str]) -> Iterable[str]:
    return ("validated-constraint" if node.subtype == "C" else "drop",)


def _altered(command: Any) -> Iterator[str]:
    """Yield what one part of an ALTER TABLE breaks."""
    kind = command.subtype
    if kind == enums.AlterTableType.AT_AddColumn:
        yield from _added(command.def_)
    elif kind == enums.AlterTableType.AT_AddConstraint:
        yield from _constrained(command.def_)
    elif kind == enums.AlterTableType.AT_ColumnDefault:
        if command.def_ is None:
            yield "drop-default"
    elif kind not in _QUIET:
        yield _BY_KIND.get(kind, "cannot-be-checked")


def _added(column: Any) -> Iterator[str]:
    """Yield what a new column breaks."""
    constraints = {it.contype: it for it in column.constraints or ()}
    kinds = enums.ConstrType
    default = constraints.get(kinds.CONSTR_DEFAULT)
    if kinds.CONSTR_NOTNULL in constraints and default is None:
        yield "required-column"
    if default is not None and _functions(default.raw_expr) - _PURE:
        yield "rewrite"
    if column.typeName.names[-1].sval in _SERIAL:
        yield "rewrite"
    if constraints.keys() & {kinds.CONSTR_GENERATED, kinds.CONSTR_IDENTITY}:
        yield "rewrite"
    if constraints.keys() & {kinds.CONSTR_PRIMARY, kinds.CONSTR_UNIQUE}:
        yield "unique"
    if constraints.keys() & {kinds.CONSTR_CHECK, kinds.CONSTR_FOREIGN}:
        yield "validated-constraint"


def _constrained(constraint: Any) -> Iterator[str]:
    """Yield what a new constraint breaks; one over an index that is there only names it."""
    kinds = enums.ConstrType
    if constraint.contype == kinds.CONSTR_NOTNULL:
        if not constraint.skip_validation:
            yield "not-null"
    elif constraint.contype in {kinds.CONSTR_CHECK, kinds.CONSTR_FOREIGN}:
        if not constraint.skip_validation:
            yield "validated-constraint"
    elif not constraint.indexname:
        yield "unique"


def _indexed(node: Any, made: set[str]) -> Iterator[str]:
    if node.relation.relname in made:
        made.add(node.idxname or "")
        return
    if not node.concurrent:
        yield "index"
    if node.unique:
        yield "unique"


def _dropped(node: Any, made: set[str]) -> Iterator[str]:
    """Yield what a DROP breaks, unless all that it names was made in the same file."""
    if all(_name(it) in made for it in node.objects):
        return
    if node.removeType == enums.ObjectType.OBJECT_INDEX:
        if not node.concurrent:
            yield "index"
        return
    yield "drop"


def _name(named: Any) -> str:
    """Return the last part of a name, whatever it is wrapped in."""
    parts = named if isinstance(named, tuple) else getattr(named, "names", None) or (named,)
    return str(getattr(parts[-1], "sval", ""))


def _has(options: Iterable[Any] | None, name: str) -> bool:
    return any(it.defname == name for it in options or ())


class _Functions(Visitor):
    """Gathers the names of the functions that are called."""

    def __init__(self) -> None:
        self.names: set[str] = set()

    def visit_FuncCall(self, _: Any, node: Any) -> None:  # noqa: N802  pglast's name
        self.names.add(node.funcname[-1].sval)


def _functions(node: Any) -> set[str]:
    visitor = _Functions()
    visitor(node)
    return visitor.names


def _if(broken: Any, name: str) -> Iterable[str]:
    return (name,) if broken else ()


_JUDGES: Final[Mapping[type, Callable[[Any, set[str]], Iterable[str]]]] = {
    ast.AlterDomainStmt: _domain_altered,
    ast.AlterEnumStmt: lambda node, _: _if(node.oldVal, "rename"),
    ast.AlterObjectSchemaStmt: _renamed,
    ast.AlterTableStmt: _table_altered,
    ast.ClusterStmt: lambda *_: ("rewrite",),
    ast.CreateFunctionStmt: lambda node, _: _if(node.replace, "replace"),
    ast.CreatePolicyStmt: _policed,
    ast.CreateStmt: _table_made,
    ast.CreateTableAsStmt: _table_selected,
    ast.CreateTrigStmt: _triggered,
    ast.DeleteStmt: _changed,
    ast.DropStmt: _dropped,
    ast.GrantRoleStmt: lambda node, _: _if(not node.is_grant, "revoke"),
    ast.GrantStmt: lambda node, _: _if(not node.is_grant, "revoke"),
    ast.IndexStmt: _indexed,
    ast.LockStmt: lambda *_: ("lock",),
    ast.RefreshMatViewStmt: lambda node, _: _if(not node.concurrent, "lock"),
    ast.ReindexStmt: lambda node, _: _if(not _has(node.params, "concurrently"), "index"),
    ast.RenameStmt: _renamed,
    ast.RuleStmt: _triggered,
    ast.SelectStmt: lambda node, _: _if(_functions(node) - _PURE, "cannot-be-checked"),
    ast.TruncateStmt: _truncated,
    ast.UpdateStmt: _changed,
    ast.VacuumStmt: lambda node, _: _if(_has(node.options, "full"), "rewrite"),
    ast.ViewStmt: _viewed,
}
"""What judges each kind of statement; a kind that is not here cannot be checked."""
