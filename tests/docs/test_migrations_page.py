"""docs/migrations.md's commands, one after the other, in a copy of the service."""

import re
from pathlib import Path
from typing import Final

from tests.helpers.fork import copied
from tests.helpers.page_blocks import block
from tests.helpers.postgres import Databases

NAMES: Final = {"FILE": "report.json", "NAME": "note"}
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\dT[\d:]+Z")


def test_its_commands_do_what_they_say(tmp_path: Path, postgres: Databases) -> None:
    """Each succeeds; what the page shows below a command is what it prints, but for the time."""
    fork = copied(tmp_path)
    url = postgres.database()
    printed, shown = [], []
    for line in block("docs/migrations.md", "$ orders migrate --to 1", "console").splitlines():
        if line.startswith("$ "):
            command = line.removeprefix("$ ")
            for word, name in NAMES.items():
                command = re.sub(rf"\b{word}\b", name, command)
            printed += fork.run("sh", "-euc", command, DATABASE_URL=url).splitlines()
        else:
            shown.append(_TIME.sub("TIME", line).split())

    assert [] == [it for it in shown if it not in [_TIME.sub("TIME", x).split() for x in printed]]
    assert 4 == len(shown)
    assert '"schema":' in (tmp_path / "report.json").read_text()
    assert 1 == len(list((tmp_path / "service/orders/migrations").glob("*_note.sql")))
