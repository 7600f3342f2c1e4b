"""Every shell block of every page is run by a test, or is named here with the reason."""

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.docs.test_snippets import PAGES
from tests.helpers.page_blocks import shell_blocks
from tests.helpers.paths import ROOT

WALKED: Final = {
    "docs/tutorial.md": "tests/docs/test_tutorial.py",
    "docs/make-it-yours.md": "tests/docs/test_make_it_yours.py",
}
"""Pages that a test takes from their first block to their last."""

NOT_RUN: Final = {
    ("README.md", "make run"): "`make test` runs the tests; of `make run`, the tutorial's does",
    ("CONTRIBUTING.md", "make "): "its targets are what CI runs, one by one",
    ("bench/README.md", "make bench"): "half an hour each; the bench has tests of its own",
    (
        "charts/orders/README.md",
        "helm install",
    ): "docs/kubernetes.md begins with the same commands",
    ("SECURITY.md", "identity="): "needs a release, whose workflow signs it",
    ("SECURITY.md", "docker buildx"): "needs a release, whose workflow attests it",
    ("docs/migrations.md", "$ orders migrate check"): "shows a file that this tree does not have",
    ("docs/postgresql.md", "$ orders purge"): "shows rows of years; tests/service purges others",
    ("docs/make-it-yours.md", "$ make run"): "shows a refusal, which the page's test provokes",
}
"""How a block begins that no test pastes, and why not; Bash reads all of them in test_snippets."""


def named(page: Path) -> str:
    """Return a page's path as tests name it."""
    return page.relative_to(ROOT).as_posix()


FOUND: Final = [
    (named(page), text)
    for page in PAGES
    for language in ("sh", "console")
    for text in shell_blocks(named(page), language)
]


def taken() -> Iterator[tuple[str, str]]:
    """Yield page and beginning of each block that a test takes by `block(page, begins)`."""
    for path in sorted((ROOT / "tests").rglob("test_*.py")) + sorted(
        (ROOT / "tests").rglob("conftest.py")
    ):
        tree = ast.parse(path.read_text("utf-8"))
        constants = {
            node.target.id: node.value.value
            for node in tree.body
            if isinstance(node, ast.AnnAssign)
            and isinstance(node.target, ast.Name)
            and isinstance(node.value, ast.Constant)
        }
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "block":
                page, begins = (
                    it.value if isinstance(it, ast.Constant) else constants[getattr(it, "id", "")]
                    for it in node.args[:2]
                )
                yield str(page), str(begins)


TAKEN: Final = list(taken())


@pytest.mark.parametrize("page", sorted({page for page, _ in FOUND} - WALKED.keys()))
def test_every_block_is_run(page: str) -> None:
    """A test takes it, or it is named with the reason: a new block is one that somebody runs."""
    heads = [begins for where, begins in [*TAKEN, *NOT_RUN] if where == page]
    blocks = [text for where, text in FOUND if where == page]

    assert [] == [text for text in blocks if not text.startswith(tuple(heads))]


def test_nothing_is_named_that_is_not_there() -> None:
    """What is not run is a block, and no test takes it; a test that walks a page names it."""
    assert [] == [
        (page, begins)
        for page, begins in NOT_RUN
        if 1 != sum(page == where and text.startswith(begins) for where, text in FOUND)
    ]
    assert set() == NOT_RUN.keys() & set(TAKEN)
    assert [] == [
        page for page, test in WALKED.items() if Path(page).name not in (ROOT / test).read_text()
    ]
