"""Keeps the published sites of several releases beside each other.

There is a folder for each version; `versions.json`, from which pages offer the others; and a first
page that leads to the newest release. The published branch has nothing else, so publishing a
version again replaces its folder, and changes no other.
"""

import argparse
import json
import re
import shutil
from pathlib import Path
from typing import Final

_LIST: Final = "versions.json"
_UNRELEASED: Final = "main"
_FIRST_PAGE: Final = """\
<!doctype html>
<meta charset="utf-8">
<title>Orders</title>
<meta http-equiv="refresh" content="0; url={version}/index.html">
<a href="{version}/index.html">Orders {version}</a>
"""


class NoVersion(ValueError):
    """A name that is neither a release nor `main`."""


def publish(site: Path, published: Path, version: str) -> None:
    """Add a site to the published ones.

    Args:
        site: the built site, with the selector of versions.
        published: the folder that is served; created if it does not exist.
        version: `1.2.3`, or `main` for the unreleased state.

    Raises:
        NoVersion: the version is neither.

    """
    if version != _UNRELEASED and not re.fullmatch(r"\d+\.\d+\.\d+", version):
        raise NoVersion(f"the version is {version!r}; allowed: a release such as 1.2.3, or main")
    published.mkdir(parents=True, exist_ok=True)
    shutil.rmtree(published / version, ignore_errors=True)
    shutil.copytree(site, published / version)
    known = {path.parent.name for path in published.glob("*/index.html")}
    releases = sorted(known - {_UNRELEASED}, key=_numbers, reverse=True)
    newest, *_ = [*releases, _UNRELEASED]
    offered = [
        {
            "version": name,
            "title": "unreleased" if name == _UNRELEASED else name,
            "aliases": ["latest"] if name == newest else [],
        }
        for name in [*releases, *(known & {_UNRELEASED})]
    ]
    (published / _LIST).write_text(json.dumps(offered, indent=2) + "\n", "utf-8")
    (published / "index.html").write_text(_FIRST_PAGE.format(version=newest), "utf-8")
    (published / ".nojekyll").touch()  # GitHub Pages serves the files as they are


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(map(int, version.split(".")))


def main() -> None:
    """Publish a site into a folder."""
    parser = argparse.ArgumentParser(prog="python -m tools.site.versions", description=__doc__)
    parser.add_argument("site", type=Path, help="what `make docs ARGS=--selector` built")
    parser.add_argument("published", type=Path, help="the folder that is served")
    parser.add_argument("version", help="a release such as 1.2.3, or main")
    arguments = parser.parse_args()
    try:
        publish(arguments.site, arguments.published, arguments.version)
    except NoVersion as error:
        parser.error(str(error))


if __name__ == "__main__":
    main()
