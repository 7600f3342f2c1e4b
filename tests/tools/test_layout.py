"""Tests lie as the source does, and no module is named by its role in a sentence."""

from itertools import chain
from pathlib import Path
from typing import Final

import pytest

from tests.helpers.paths import ROOT

GIVEN_UP: Final = {
    "asking", "closed", "deaf", "doors", "either", "ending", "look", "middle", "odd_server",
    "onward", "parts", "places", "reach", "seen", "sights", "words", "world",
}  # fmt: skip


@pytest.mark.parametrize(
    ("tests", "source"),
    [("service", "service/orders"), ("operator", "operator/orders_operator")],
)
def test_unit_tests_lie_as_the_source_does(tests: str, source: str) -> None:
    """A folder of unit tests has the name of a package, and every package that it is in."""
    unit = ROOT / "tests" / tests / "unit"
    folders = {path.parent.relative_to(unit) for path in unit.rglob("test_*.py")}

    assert Path() in folders
    assert [] == [folder for folder in folders if not (ROOT / source / folder).is_dir()]


def test_helpers_are_in_one_folder() -> None:
    """Beside the fixtures, no module is at the top of tests/."""
    found = {
        path.relative_to(ROOT / "tests").as_posix()
        for path in (ROOT / "tests").glob("*.py")
        if path.name != "conftest.py"
    }

    assert set() == found


def test_modules_are_named_for_what_they_hold() -> None:
    """No module has a name that the project gave up."""
    folders = ("service", "operator", "tools", "bench", "chaos", "tests")
    modules = chain.from_iterable((ROOT / folder).rglob("*.py") for folder in folders)

    assert [] == [path for path in modules if path.stem in GIVEN_UP]
