"""The paths of docs/architecture.md: what they name exists, and stands in that order."""

import inspect
import re
from importlib import import_module
from itertools import groupby, pairwise
from typing import Any, NamedTuple

import pytest

from orders.store.connections import HeldConnection
from orders.store.inserts import insert
from orders.store.lanes import InsertLane
from orders.store.session import Session
from tests.helpers.paths import ROOT

PAGE = (ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
PATHS = ("The path of an order", "The path of a reconcile")


class Step(NamedTuple):
    """A function that a path names, such as `orders.coalesce:Coalescer.add`."""

    module: str
    name: str

    def function(self) -> Any:
        """Return it; raise if there is none."""
        found: Any = import_module(self.module)
        for part in self.name.split("."):
            found = getattr(found, part)
        return found


def steps(title: str) -> list[Step]:
    """Return what a section names, in its order."""
    section = re.split(r"^#+ ", PAGE.split(f"# {title}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[
        0
    ]
    return [Step(*found) for found in re.findall(r"`(orders[a-z_.]*):([A-Za-z_.]+)`", section)]


@pytest.mark.parametrize("title", PATHS)
def test_what_a_path_names_exists(title: str) -> None:
    """Each function is in the module that the page says."""
    named = steps(title)

    assert len(named) > 10
    for step in named:
        assert callable(step.function()), step


@pytest.mark.parametrize("title", PATHS)
def test_the_code_has_the_functions_in_the_order_of_the_path(title: str) -> None:
    """Within a class, or a module, they stand in the order in which the page names them."""
    named = sorted(dict.fromkeys(steps(title)), key=_place)

    for _, of_one_place in groupby(named, key=_place):
        functions = [step.function() for step in of_one_place]
        lines = [inspect.getsourcelines(found)[1] for found in functions]
        for (before, after), at in zip(pairwise(functions), pairwise(lines), strict=True):
            assert at[0] < at[1], f"{before.__qualname__} stands behind {after.__qualname__}"


def test_five_hops_lead_from_the_readme_to_the_commit() -> None:
    """The README links to the path, and each function from there on calls the next one."""
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    section = PAGE.split("# The path of an order\n", 1)[1]
    hops: tuple[Any, ...] = (InsertLane._execute, insert, HeldConnection.fetch, Session.fetch)

    assert "(docs/architecture.md#the-path-of-an-order)" in readme
    for hop in hops:
        assert f"`{hop.__qualname__}`" in section
    for caller, callee in pairwise(hops):
        assert f"{callee.__name__}(" in inspect.getsource(caller)


def _place(step: Step) -> tuple[str, str]:
    return step.module, step.name.rpartition(".")[0]
