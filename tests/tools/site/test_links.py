"""Links of every page of the tree, as they are read on GitHub. Other sites are not asked."""

import posixpath
import subprocess
from functools import cache
from pathlib import Path

from tests.helpers.paths import ROOT
from tools.site.markdown import anchors, links


@cache
def files() -> list[str]:
    """Return what the repository has, and what is about to be added."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    return [name for name in listed.stdout.splitlines() if (ROOT / name).exists()]


@cache
def anchors_of(page: str) -> set[str]:
    """Return the anchors of a page."""
    return anchors((ROOT / page).read_text("utf-8"))


def fault_of(page: str, link: str, there: set[str]) -> str | None:
    """Return what is wrong with a link of a page, if anything is."""
    path, _, anchor = link.partition("#")
    target = posixpath.normpath(posixpath.join(posixpath.dirname(page), path)) if path else page
    if target not in there:
        return f"{page}: {link} is not there"
    if anchor and target.endswith(".md") and anchor not in anchors_of(target):
        return f"{page}: {target} has no heading #{anchor}"
    return None


def test_links_of_every_page_lead_somewhere() -> None:
    """Each relative link names a file or folder of the repository, and a heading that it has."""
    there = set(files())
    there |= {parent.as_posix() for name in files() for parent in Path(name).parents}
    pages = [name for name in files() if name.endswith(".md")]
    checked = [
        (page, link)
        for page in pages
        for link in links((ROOT / page).read_text("utf-8"))
        if "://" not in link and not link.startswith("mailto:")
    ]
    faults = [fault_of(page, link, there) for page, link in checked]

    assert [] == [fault for fault in faults if fault]
    assert 300 < len(checked)


def test_a_heading_has_the_anchor_that_github_gives_it() -> None:
    """Punctuation goes, spaces become hyphens, a second one of the same text is numbered."""
    page = "# A `kill -9`, of 10 %!\n\n## Twice\n\n```sh\n# no heading\n```\n\n## Twice\n"

    assert {"a-kill--9-of-10-", "twice", "twice-1"} == anchors(page)


def test_code_has_no_links() -> None:
    """What looks like a link in a block or between backticks is none."""
    page = "`[a](b)` [c\nd](e.md#f)\n\n```text\n[g](h)\n```\n\n![i](j.svg)"

    assert ["e.md#f", "j.svg"] == links(page)
