"""The numbered SQL files: finding them, reading them, refusing those that could be half applied.

A file runs in one transaction together with its row in `orders_migrations`, so it may not begin or
end one itself. A statement that PostgreSQL refuses inside a transaction has a file of its own,
whose first line is the marker. Importing this module reads nothing, and the highest number needs
only the names of the files.
"""

import os
import re
from pathlib import Path
from typing import Final, NamedTuple

DIRECTORY: Final = Path(__file__).parent.parent / "migrations"
NO_TRANSACTION: Final = "-- orders: no-transaction"

MAY_PASS: Final = 75
"""Exit code of a run whose obstacle may pass with time (EX_TEMPFAIL of sysexits.h)."""

_FILE_NAME: Final = re.compile(r"([0-9]{4})_([a-z0-9_]+)\.sql")


class MigrationError(Exception):
    """Why a migration was refused or failed, in words for the operator; never holds a secret."""

    def __init__(self, message: str, *, exit_code: int = 1) -> None:
        """Keep the message, and the exit code: 1, 2 for a wrong argument, or MAY_PASS."""
        super().__init__(message)
        self.exit_code = exit_code


class Migration(NamedTuple):
    """One file. `checksum` is the SHA-256 of its text in hexadecimal, with LF for line ends.

    `builds` is the index that a file outside a transaction makes, as the SQL spells it, or None.
    """

    version: int
    name: str
    text: str
    checksum: str
    transactional: bool
    builds: str | None

    @property
    def file(self) -> str:
        """The file's name, as messages show it."""
        return f"{self.version:04}_{self.name}.sql"


def highest_version(directory: Path = DIRECTORY) -> int:
    """Return the highest number among the names of the files; opens none of them.

    Raises:
        MigrationError: there is no file, or a name is not `NNNN_name.sql`.
    """
    return max(version for version, _ in _scan(directory))


def read_all(directory: Path = DIRECTORY) -> list[Migration]:
    """Read every file, in the order of their numbers.

    Raises:
        MigrationError: there is no file, a name is not `NNNN_name.sql`, a number is missing or
            used twice, or the text holds what could leave it half applied.
    """
    found = _scan(directory)
    for expected, (version, file) in enumerate(found, start=1):
        if version > expected:
            raise MigrationError(f"{file}: there is no number {expected:04} before it")
        if version < expected:
            before = found[expected - 2][1] if version else "numbers begin at 0001"
            raise MigrationError(f"{file}: its number is taken ({before})")
    return [_read(directory / file) for _, file in found]


def _scan(directory: Path) -> list[tuple[int, str]]:
    try:
        with os.scandir(directory) as entries:
            names = sorted(entry.name for entry in entries if entry.name.endswith(".sql"))
    except OSError as error:
        raise MigrationError(
            f"cannot list the migrations in {directory}: {error.strerror}"
        ) from error
    if not names:
        raise MigrationError(f"there are no migrations in {directory}")
    for name in names:
        if not _FILE_NAME.fullmatch(name):
            raise MigrationError(
                f"{name}: not named NNNN_name.sql (four digits, then a to z, 0 to 9 and _)"
            )
    return [(int(name[:4]), name) for name in names]


def _read(path: Path) -> Migration:
    import hashlib  # noqa: PLC0415  it loads OpenSSL, and a server does not need it at start

    from orders.store import migration_sql  # noqa: PLC0415  a server does not need it either

    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise MigrationError(f"{path.name}: cannot be read: {error}") from error
    transactional = text.partition("\n")[0].rstrip() != NO_TRANSACTION
    try:
        if transactional:
            builds = None
            migration_sql.check_transactional(text)
        else:
            builds = migration_sql.check_sole(text)
    except ValueError as error:
        raise MigrationError(f"{path.name}: {error}") from error
    return Migration(
        version=int(path.name[:4]),
        name=path.stem[5:],
        text=text,
        checksum=hashlib.sha256(text.encode()).hexdigest(),
        transactional=transactional,
        builds=builds,
    )
