"""The table of docs/security.md names code and tests that are there."""

import re
from typing import Final

from tests.helpers.paths import ROOT

PAGE: Final = (ROOT / "docs" / "security.md").read_text()
ROWS: Final = [
    [cell.strip() for cell in line.strip("|").split(" | ")]
    for line in PAGE.partition("## OWASP ASVS")[2].partition("### Cryptography")[0].splitlines()
    if line.startswith("| ") and not line.startswith("| |")
]
SOURCES: Final = ROOT / "service" / "orders", ROOT / "common" / "orders_common"
PATH: Final = re.compile(r"`([a-z_0-9./-]+\.(?:py|yml|json|md))`")


def test_code_and_tests_of_the_table_are_there() -> None:
    """A file that was renamed is found here, and so is a row without anything to show."""
    assert 60 <= len(ROWS)
    for number, requirement, where, test in ROWS:
        for path in PATH.findall(where):
            assert any((folder / path).exists() for folder in SOURCES), (number, path)
        for path in PATH.findall(test):
            assert (ROOT / "tests" / path).exists() or (ROOT / path).exists(), (number, path)
        assert where, (number, requirement)


def test_no_requirement_stands_twice() -> None:
    """Each has one row."""
    numbers = [number for row in ROWS for number in row[0].split(", ")]
    assert len(numbers) == len(set(numbers))
