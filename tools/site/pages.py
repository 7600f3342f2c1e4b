"""Lays out the pages of the site: every page of docs/, README first, and what they link to.

Pages keep their text. Their links are changed to the place of the target on the site: another
page, or a copy of the file, so that the site needs no network. A folder of examples is one page
with all of its files.
"""

import posixpath
import shutil
from pathlib import Path
from typing import Final

from tools.site.markdown import four_spaces, relinked, slug

_ROOM: Final = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "reporting.md",
    "charts/orders/README.md": "chart.md",
    "docs/openapi.json": "openapi.json",
}
"""The site's page for a file that is not a page of docs/."""

_FOLDERS: Final = {
    "k8s/samples": ("samples.md", "Samples", "An OrderService for each of these ends."),
    "charts/orders/ci": (
        "chart-examples.md",
        "Values by use",
        "A file of values for each way of using the chart, as its tests install it.",
    ),
}
"""Folders that become pages: name of the page, title, first sentence."""


class BrokenLink(ValueError):
    """A page links to a file that does not exist in the tree."""


class Layout:
    """The pages of one build."""

    def __init__(self, root: Path, pages: Path) -> None:
        """Lay out the tree `root` in the folder `pages`."""
        self._root = root
        self._pages = pages
        documents = [path.relative_to(root).as_posix() for path in (root / "docs").rglob("*.md")]
        self._open = ["README.md", *documents]
        self.documents = {_place(source) for source in self._open}
        """The pages that the navigation must contain; links may add more."""
        self._done: set[str] = set()

    def write(self) -> None:
        """Write all pages, and copy the files that they show or link to.

        Raises:
            BrokenLink: a page links to a file that does not exist in the tree.

        """
        while self._open:
            source = self._open.pop()
            if source in self._done:
                continue
            self._done.add(source)
            if source in _FOLDERS:
                self._write_folder(source)
            elif source.endswith(".md"):
                self._write_page(source)
            else:
                self._copy(source)

    def _write_page(self, source: str) -> None:
        text = (self._root / source).read_text("utf-8")
        here = posixpath.dirname(_place(source))

        def target_of(target: str) -> str:
            if ":" in target or target.startswith("#"):
                return target
            path, sign, anchor = target.partition("#")
            name = posixpath.normpath(posixpath.join(posixpath.dirname(source), path))
            return self._link(source, target, name, here) + sign + anchor

        self._put(_place(source), four_spaces(relinked(text, target_of)))

    def _link(self, source: str, target: str, name: str, here: str) -> str:
        """Return the link from a folder of the site to its copy of the file or folder `name`."""
        if name.startswith("..") or not (self._root / name).exists():
            raise BrokenLink(f"{source} links to {target}, which is not there")
        folder, file = posixpath.split(name)
        if folder in _FOLDERS:
            self._open.append(folder)
            return f"{posixpath.relpath(_FOLDERS[folder][0], here or '.')}#{slug(file)}"
        self._open.append(name)
        return posixpath.relpath(_place(name), here or ".")

    def _write_folder(self, source: str) -> None:
        place, title, sentence = _FOLDERS[source]
        files = "".join(
            f"\n## {path.name}\n\n```yaml\n{path.read_text('utf-8').strip()}\n```\n"
            for path in sorted((self._root / source).glob("*.yaml"))
        )
        self._put(place, f"# {title}\n\n{sentence}\n{files}")

    def _copy(self, source: str) -> None:
        path = self._pages / _place(source)
        path.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(self._root / source, path)

    def _put(self, place: str, text: str) -> None:
        path = self._pages / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def _place(source: str) -> str:
    """Return the site's path for a file or folder of the tree."""
    if source in _FOLDERS:
        return _FOLDERS[source][0]
    return _ROOM.get(source, source.removeprefix("docs/"))
