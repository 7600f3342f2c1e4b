"""`orders migrate check`: whether the release before can live with each migration.

Statement by statement, by the rules of `rules`. A file may say that it breaks one, and why: in a
comment before its first statement,

    -- orders: allow drop because 1.4 was the last release that read it
"""

import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

from orders.store.migrations import DIRECTORY
from orders.store.rules import RULES

if TYPE_CHECKING:
    from orders.store.parsed import Statement

REFUSED: Final = 1
USAGE_ERROR: Final = 2

_ALLOW: Final = re.compile(r"--\s*orders:\s*allow\b(?P<rest>.*)")
_REASONED: Final = re.compile(r"\s+(?P<rule>\S+)\s+because\s+(?P<reason>\S.*)")
_SHOWN: Final = 60


class CheckError(Exception):
    """A file cannot be checked, or an override says nothing; the message names file and line."""


def main(paths: Sequence[Path]) -> int:
    """Check files, or those in folders; print what is refused; return the exit status.

    Args:
        paths: none means the migrations of this release.

    """
    try:
        files = _files(paths or [DIRECTORY])
        found = [line for file in files for line in check(file)]
    except ImportError:
        sys.stderr.write(
            "orders: to check migrations, install pglast: pip install orders[check]\n"
        )
        return USAGE_ERROR
    except CheckError as error:
        sys.stderr.write(f"orders: {error}\n")
        return USAGE_ERROR
    for line in found:
        sys.stdout.write(f"{line}\n")
    if not found:
        sys.stdout.write(f"{len(files)} migrations: the release before can live with all\n")
    return REFUSED if found else 0


def check(file: Path) -> Iterator[str]:
    """Yield what is refused in a file, a line of text each.

    Raises:
        CheckError: it cannot be read, is not SQL, or allows what it does not do.
        ImportError: pglast is not installed.

    """
    from orders.store.parsed import statements  # noqa: PLC0415  only here, it is not in the image

    try:
        text = file.read_text(encoding="utf-8")
        found = statements(text)
    except (OSError, ValueError) as error:
        raise CheckError(f"{file}: {error}") from None
    allowed = _allowed(file, text)
    unused = set(allowed)
    for statement in found:
        for name in statement.broken:
            unused.discard(name)
            if name not in allowed:
                yield _told(file, statement, name)
    for name in sorted(unused):
        raise CheckError(f"{file}:{allowed[name]}: allows {name}, which no statement does")


def reference() -> str:
    """Return the page about the rules, in Markdown."""
    lines = [
        "# Rules for migrations",
        "",
        "<!-- Made by `orders migrate check --rules`; do not edit. -->",
        "",
        "What `orders migrate check` refuses, and what to write instead; each line of the second",
        "kind is a file of its own. [migrations.md](migrations.md) says why.",
    ]
    for rule in RULES.values():
        instead = ";\n".join(rule.instead)
        lines += [
            "",
            f"## {rule.name}",
            "",
            f"Refused, as {rule.why}:",
            "",
            f"```sql\n{rule.refused};\n```",
            "",
            f"Instead: {rule.advice}.",
            "",
            f"```sql\n{instead};\n```",
        ]
    return "\n".join(lines) + "\n"


def _files(paths: Sequence[Path]) -> list[Path]:
    found = []
    for path in paths:
        inside = sorted(path.glob("*.sql")) if path.is_dir() else [path]
        if not inside:
            raise CheckError(f"{path}: there are no migrations in this folder")
        found += inside
    return found


def _allowed(file: Path, text: str) -> dict[str, int]:
    """Return the rules that a file may break, with the line that says so."""
    found: dict[str, int] = {}
    for number, line in enumerate(text.splitlines(), 1):
        match = _ALLOW.match(line.strip())
        if match is None:
            continue
        said = _REASONED.fullmatch(match["rest"])
        if said is None:
            raise CheckError(
                f"{file}:{number}: is {line.strip()!r};"
                " needed: -- orders: allow RULE because REASON"
            )
        if said["rule"] not in RULES:
            raise CheckError(
                f"{file}:{number}: there is no rule {said['rule']}; there are {', '.join(RULES)}"
            )
        found[said["rule"]] = number
    return found


def _told(file: Path, statement: "Statement", name: str) -> str:
    rule = RULES[name]
    text = " ".join(statement.text.split())
    shown = text if len(text) <= _SHOWN else f"{text[:_SHOWN]}..."
    return f"{file}:{statement.line}: {name}: {shown}\n    {rule.why}; instead: {rule.advice}"
