"""Builds the docs site: `python -m tools.site`. The site and its search need no network."""

import argparse
import json
import shutil
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tools.site.pages import BrokenLink, Layout
from tools.site.reference import Reference

_ROOT: Final = Path(__file__).parents[2]
_HERE: Final = Path(__file__).parent
_ASSETS: Final = ("site.css", "iframe-worker.js", "iframe-worker.LICENSE")


class Refused(Exception):
    """The site cannot be built; the message is for the user."""


def build(folder: Path, version: str, *, selector: bool = False, root: Path = _ROOT) -> Path:
    """Build the site in a folder of its own, which is emptied; return where its pages are.

    Args:
        folder: receives the site and the files from which it is made.
        version: the version in the head of each page.
        selector: whether pages offer the other published versions.
        root: the tree with the pages.

    Raises:
        Refused: a link or an anchor leads nowhere, or a page is not in the navigation.

    """
    shutil.rmtree(folder, ignore_errors=True)
    pages = folder / "pages"
    layout = Layout(root, pages)
    try:
        layout.write()
    except BrokenLink as error:
        raise Refused(str(error)) from None
    (pages / "api-reference.md").write_text(Reference(_openapi(root)).page(), "utf-8")
    for name in _ASSETS:
        shutil.copyfile(_HERE / name, pages / name)
    configuration = (_HERE / "zensical.toml").read_text("utf-8")
    listed = set(_listed(tomllib.loads(configuration)["project"]["nav"]))
    if missing := sorted(layout.documents - listed):
        raise Refused(f"Not in the navigation of tools/site/zensical.toml: {', '.join(missing)}")
    configuration = configuration.replace('"Orders"', f'"Orders {version}"', 1)
    if selector:
        configuration += '\n[project.extra.version]\nprovider = "mike"\n'
    (folder / "zensical.toml").write_text(configuration, "utf-8")
    ran = subprocess.run(
        [sys.executable, "-m", "zensical", "build", "--strict"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if ran.returncode:
        raise Refused(ran.stdout)
    site = folder / "site"
    (site / "404.html").unlink()  # its links only work at the root of a host
    return site


def _listed(nav: Any) -> Iterator[str]:
    """Yield the pages that a navigation names, at any depth."""
    if isinstance(nav, str):
        yield nav
    else:
        for part in nav.values() if isinstance(nav, dict) else nav:
            yield from _listed(part)


def _openapi(root: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((root / "docs" / "openapi.json").read_text("utf-8"))
    return document


def main() -> None:
    """Build the site, and print where it is."""
    parser = argparse.ArgumentParser(prog="make docs", description=__doc__)
    parser.add_argument("--version", help="what each page shows; default: the API's version")
    parser.add_argument("--selector", action="store_true", help="offer other published versions")
    arguments = parser.parse_args()
    version = arguments.version or _openapi(_ROOT)["info"]["version"]
    try:
        site = build(_ROOT / "build" / "docs", version, selector=arguments.selector)
    except Refused as error:
        sys.exit(str(error))
    print(f"Open {site.relative_to(_ROOT)}/index.html")


if __name__ == "__main__":
    main()
