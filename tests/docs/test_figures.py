"""Figures in pages that people write: each is one that was measured."""

import re

from bench import paths, scale_page, summary
from bench.operator import measure, page
from chaos import results
from chaos.catalogue import CHANGES, DISRUPTIONS
from chaos.report import DATA
from tests.helpers.paths import ROOT

README = (ROOT / "README.md").read_text("utf-8")
_HALF = 0.501
"""What whole numbers may be off: of half an MB it is not known which way it was rounded."""


def test_readme_has_the_sizes_of_the_images() -> None:
    """They are those of the whole images, unpacked, in the order service, operator."""
    measured = (ROOT / "docs" / "benchmarks" / "images.md").read_text("utf-8")
    sizes = re.findall(r"^\| in all \| ([0-9.]+) \|", measured, re.MULTILINE)

    told = re.search("images of ([0-9]+) and ([0-9]+) MB", README)

    assert told is not None
    assert [] == [
        (said, size)
        for said, size in zip(told.groups(), sizes, strict=True)
        if abs(float(said) - float(size)) > _HALF
    ]


def test_readme_has_the_requests_of_which_none_failed() -> None:
    """Of at least as many requests during all changes, none failed."""
    found = results.load(ROOT / "docs" / DATA).found
    told = re.search(
        "none of ([0-9,]+) requests during updates, canaries, scaling, drains and upgrades failed",
        README,
    )

    changes = [found[it.key] for it in DISRUPTIONS if it.group == CHANGES]

    assert told is not None
    assert int(told[1].replace(",", "")) <= sum(it.requests for it in changes)
    assert {0} == {it.failed for it in changes}


def test_the_tables_between_marks_are_what_was_measured() -> None:
    """The rows of the scale page, and the operator's block of the Kubernetes page."""
    rows = list(scale_page._rows(summary.load(paths.CONDENSED)))
    found = measure.read()
    assert found is not None
    operator = list(page._lines(found))

    assert "\n".join(rows) in paths.SCALE_PAGE.read_text("utf-8")
    assert "\n".join(operator) in (ROOT / "docs" / "kubernetes.md").read_text("utf-8")
