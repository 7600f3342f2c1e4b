"""A release's notes: `python -m tools.release.notes` prints their section of CHANGELOG.md.

It refuses what must not be released: a tag that is not `v` and VERSION, and a section whose
heading has no date. `GITHUB_REF_NAME` has the tag; without a tag both are accepted.
"""

import os
import re
import sys
from pathlib import Path

from tools.release.names import ROOT, names


class NotReleasable(Exception):
    """The tree is not a release's; the message says why."""


def notes(version: str, tag: str | None, changelog: Path = ROOT / "CHANGELOG.md") -> str:
    """Return the section of a version, without its heading.

    Raises:
        NotReleasable: the tag, the heading or the section is not that of a release.

    """
    if tag is not None and tag != f"v{version}":
        raise NotReleasable(f"the tag is {tag}, and VERSION is {version}: it must be v{version}")
    text = changelog.read_text(encoding="utf-8")
    heading = re.search(rf"^## {re.escape(version)} - (.+)$", text, re.MULTILINE)
    if heading is None:
        raise NotReleasable(f"CHANGELOG.md has no section {version}")
    if tag is not None and not re.fullmatch(r"\d{4}-\d{2}-\d{2}", heading[1]):
        raise NotReleasable(
            f"CHANGELOG.md says {heading[1]!r} of {version}: it must be a date such as 2026-11-28"
        )
    section = re.split(r"^## ", text[heading.end() :], maxsplit=1, flags=re.MULTILINE)[0].strip()
    if not section:
        raise NotReleasable(f"the section {version} of CHANGELOG.md is empty")
    return f"{section}\n"


if __name__ == "__main__":
    try:
        sys.stdout.write(notes(names().version, os.environ.get("GITHUB_REF_NAME")))
    except NotReleasable as error:
        sys.exit(f"notes: {error}")
