"""A migration file as PostgreSQL's own parser reads it: its statements, and its comments.

A statement may do several things: ALTER TABLE has subcommands, and a WITH may change the rows of
another table. Each is an `Action` of its own, so that a rule judges one thing at a time. Nodes are
pglast's; as any field of theirs may be None, they are `Any`.
"""

from collections.abc import Iterator
from typing import Any, Final, Literal, NamedTuple

from pglast import ast, enums
from pglast.parser import ParseError, parse_sql, scan

from orders.store.migrations import Migration, MigrationError

_SHOWN: Final = 72
_CHANGES_ROWS: Final = (ast.InsertStmt, ast.UpdateStmt, ast.DeleteStmt, ast.MergeStmt)
_QUERIES: Final = (*_CHANGES_ROWS, ast.SelectStmt, ast.CreateTableAsStmt)
_TYPES: Final = {enums.ObjectType.OBJECT_TYPE, enums.ObjectType.OBJECT_DOMAIN}
_RELATIONS: Final = {
    enums.ObjectType.OBJECT_TABLE,
    enums.ObjectType.OBJECT_FOREIGN_TABLE,
    enums.ObjectType.OBJECT_VIEW,
    enums.ObjectType.OBJECT_MATVIEW,
    enums.ObjectType.OBJECT_INDEX,
    enums.ObjectType.OBJECT_SEQUENCE,
}
_PARTS_OF_TABLES: Final = {
    enums.ObjectType.OBJECT_TRIGGER,
    enums.ObjectType.OBJECT_RULE,
    enums.ObjectType.OBJECT_POLICY,
}


class Name(NamedTuple):
    """What SQL calls an object; `schema` is empty where the SQL leaves it out."""

    kind: Literal["relation", "type", "schema"]
    schema: str
    name: str


class Action(NamedTuple):
    """One thing that a statement does; `on` is what it changes that may have been there before."""

    node: Any
    on: frozenset[Name]


class Statement(NamedTuple):
    """`start` is the beginning of its text, in one line."""

    line: int
    start: str
    actions: tuple[Action, ...]


class Comment(NamedTuple):
    """One that begins with `--`; the head of a file is all before its first statement."""

    line: int
    text: str
    in_head: bool


class Script(NamedTuple):
    """A file."""

    statements: tuple[Statement, ...]
    comments: tuple[Comment, ...]


def parse(file: Migration) -> Script:
    """Read a file.

    Raises:
        MigrationError: it is not SQL that PostgreSQL could read.
    """
    text = file.text
    try:
        raw: Any = parse_sql(text)
    except ParseError as error:
        message, place = (*error.args, None)[:2]
        line = _line(text, place or 0)
        raise MigrationError(f"{file.file}:{line}: {message}") from error
    first = raw[0].stmt_location if raw else len(text)
    return Script(
        statements=tuple(
            Statement(
                line=_line(text, it.stmt_location),
                start=_start(text[it.stmt_location :][: it.stmt_len or None]),
                actions=tuple(_actions(it.stmt)),
            )
            for it in raw
        ),
        comments=tuple(
            Comment(_line(text, it.start), text[it.start : it.end + 1].rstrip(), it.start < first)
            for it in scan(text)
            if it.name == "SQL_COMMENT"
        ),
    )


def relation(node: Any) -> Name:
    """Return the name of a table, or of what else a RangeVar is."""
    return Name("relation", node.schemaname or "", node.relname)


def dotted(kind: Literal["relation", "type"], parts: Any) -> Name:
    """Return the name that a list of strings spells."""
    *before, last = (part.sval for part in parts)
    return Name(kind, before[-1] if before else "", last)


def walk(node: Any) -> Iterator[Any]:
    """Yield a node and all nodes below it."""
    if isinstance(node, ast.Node):
        yield node
        for field in node:
            yield from walk(getattr(node, field))
    elif isinstance(node, tuple):
        for item in node:
            yield from walk(item)


def _line(text: str, place: int) -> int:
    return text.count("\n", 0, place) + 1


def _start(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[: _SHOWN - 3].rstrip()}..."


def _actions(node: Any) -> Iterator[Action]:
    known = {enums.ObjectType.OBJECT_TABLE, enums.ObjectType.OBJECT_INDEX}
    if isinstance(node, ast.AlterTableStmt) and node.objtype in known:
        on = frozenset({relation(node.relation)})
        yield from (Action(command, on) for command in node.cmds or ())
        return
    yield Action(node, frozenset(_on(node)))
    if isinstance(node, _QUERIES):
        for inner in walk(node):
            if inner is not node and _touches_rows(inner):
                yield Action(inner, frozenset(_on(inner)))


def _touches_rows(node: Any) -> bool:
    return isinstance(node, _CHANGES_ROWS) or bool(getattr(node, "lockingClause", None))


def _on(node: Any) -> Iterator[Name]:
    match node:
        case ast.CreateStmt():
            return
        case ast.DropStmt():
            yield from _dropped(node)
        case ast.TruncateStmt() | ast.LockStmt():
            yield from map(relation, node.relations or ())
        case ast.VacuumStmt():
            yield from (relation(each.relation) for each in node.rels or () if each.relation)
        case ast.GrantStmt():
            yield from (
                relation(each) for each in node.objects or () if isinstance(each, ast.RangeVar)
            )
        case ast.AlterEnumStmt():
            yield dotted("type", node.typeName)
        case ast.RenameStmt(relation=None, renameType=kind) if kind in _TYPES:
            yield dotted("type", node.object)
        case _:
            fields = (getattr(node, field, None) for field in ("relation", "table", "view"))
            yield from (relation(each) for each in fields if isinstance(each, ast.RangeVar))


def _dropped(node: Any) -> Iterator[Name]:
    for name in node.objects:
        if node.removeType in _RELATIONS:
            yield dotted("relation", name)
        elif node.removeType in _PARTS_OF_TABLES:
            yield dotted("relation", name[:-1])
        elif node.removeType in _TYPES:
            yield dotted("type", name.names)
        elif node.removeType == enums.ObjectType.OBJECT_SCHEMA:
            yield Name("schema", "", name.sval)
