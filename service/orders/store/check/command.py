"""The command: which files are checked, what is printed, and the status it ends with."""

import sys
import textwrap
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Final

from orders.store.check.check import Finding, check
from orders.store.check.table import columns_after
from orders.store.drift import drift
from orders.store.migrations import DIRECTORY, MigrationError, read_all

_WRONG: Final = 2
_MODEL: Final = "service/orders/model.py"
_INDENT: Final = " " * 8
_WIDTH: Final = 99


def main(paths: Sequence[Path]) -> int:
    """Check files or folders of them, by default those of the package, and print what is found.

    Returns:
        0 when nothing is refused, 1 when something is, or when the package's own files do not give
        the model the columns that it needs, 2 when a file is not there or is no SQL.
    """
    try:
        findings = [finding for path in paths or [_near(DIRECTORY)] for finding in _check(path)]
        unfit = None if paths else drift(columns_after(read_all(DIRECTORY)))
    except MigrationError as error:
        sys.stderr.write(f"orders: {error}\n")
        return _WRONG
    refused = sum(finding.allowed is None for finding in findings)
    sys.stdout.write("".join(map(_shown, findings)))
    if unfit is not None:
        sys.stderr.write(f"{_MODEL}: {unfit}\n")
    sys.stdout.write(f"{refused or 'nothing'} refused, {len(findings) - refused} allowed\n")
    return 1 if refused or unfit else 0


def _check(path: Path) -> Iterable[Finding]:
    """Check a folder; of a file, only it is told, though judged by what those before it prove."""
    folder = path.parent if path.is_file() else path
    files = read_all(folder)
    judged = (finding._replace(file=str(folder / finding.file)) for finding in check(files))
    return [
        finding for finding in judged if folder is path or Path(finding.file).name == path.name
    ]


def _near(folder: Path) -> Path:
    """Return a folder relative to here if it can be: that is what people read, and click."""
    return folder.relative_to(Path.cwd()) if folder.is_relative_to(Path.cwd()) else folder


def _shown(finding: Finding) -> str:
    head = f"{finding.file}:{finding.line}: {finding.rule}"
    if finding.allowed is not None:
        return f"{head} is allowed: {finding.allowed}\n"
    lines = [f"{head}: {finding.start}"]
    for text in (f"  why:  {finding.why}", f"  safe: {finding.safe}"):
        lines += textwrap.wrap(text, _WIDTH, subsequent_indent=_INDENT)
    for number, text in enumerate(finding.instead):
        lines += ["  and in the next file:"] if number else []
        lines += [f"{_INDENT}{line}" for line in text.splitlines()]
    return "\n".join([*lines, "", ""])
