"""Just enough of SQL's lexical rules to tell where a statement of a migration file ends.

Semicolons do not count in comments, quoted text and dollar-quoted bodies (PostgreSQL manual, 4.1).
The aim is to refuse a file early, with a message that names it; the database remains the judge of
SQL.
"""

import re
from typing import Final

_OPAQUE: Final = re.compile(
    r"(?P<comment>--[^\n]*|/\*.*?\*/)"
    r"|(?<!\w)[eE]'(?:[^'\\]|\\.|'')*'"
    r"|'(?:[^']|'')*'"
    r'|"(?:[^"]|"")*"'
    r"|(?P<tag>\$(?:[^\W\d]\w*)?\$).*?(?P=tag)",
    re.DOTALL,
)
_TRANSACTION_CONTROL: Final = re.compile(
    r"(?:BEGIN|START\s+TRANSACTION|COMMIT|END|ROLLBACK(?!\s+TO\b)|ABORT|PREPARE\s+TRANSACTION)\b",
    re.IGNORECASE,
)
_ATOMIC_BODY: Final = re.compile(r"\bBEGIN\s+ATOMIC\b", re.IGNORECASE)
_CONCURRENT_INDEX: Final = re.compile(
    r"CREATE\s+(?:UNIQUE\s+)?INDEX\s+CONCURRENTLY\b"
    r"(?:\s+IF\s+NOT\s+EXISTS\s+(?P<name>\"(?:[^\"]|\"\")+\"|\w+))?",
    re.IGNORECASE,
)


def split(text: str) -> list[str]:
    """Return the statements of `text`, without comments and semicolons, literals as they are."""
    parts = [""]
    end = 0
    for match in _OPAQUE.finditer(text):
        _extend(parts, text[end : match.start()])
        parts[-1] += " " if match["comment"] else match[0]
        end = match.end()
    _extend(parts, text[end:])
    return [stripped for part in parts if (stripped := part.strip())]


def check_transactional(text: str) -> None:
    """Refuse statements that begin or end a transaction; savepoints are allowed.

    Raises:
        ValueError: there is such a statement; the message shows it.
    """
    in_body = False  # of a function written with BEGIN ATOMIC, up to its END
    for statement in split(text):
        if _TRANSACTION_CONTROL.match(statement):
            if not in_body:
                raise ValueError(f"{statement!r} is not allowed: the file runs in a transaction")
            in_body = False
        elif _ATOMIC_BODY.search(statement):
            in_body = True


def check_sole(text: str) -> str | None:
    """Refuse a file that could not be run again after it failed outside a transaction.

    Returns:
        The index that the statement builds, as the SQL spells it, or None for another statement.

    Raises:
        ValueError: there is not exactly one statement, or it builds an index without a name or
            without IF NOT EXISTS.
    """
    found = split(text)
    if len(found) != 1:
        raise ValueError(f"a file outside a transaction must have one statement, not {len(found)}")
    match = _CONCURRENT_INDEX.match(found[0])
    if match and match["name"] is None:
        raise ValueError(
            "CREATE INDEX CONCURRENTLY needs IF NOT EXISTS and a name, so that it can be run again"
        )
    return match["name"] if match else None


def _extend(parts: list[str], plain: str) -> None:
    first, *rest = plain.split(";")
    parts[-1] += first
    parts.extend(rest)


def literal(text: str) -> str:
    """Return a text as a literal of SQL; with a parameter the driver would name its statement."""
    return "'" + text.replace("'", "''") + "'"
