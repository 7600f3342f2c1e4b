"""The packages that the kept modules come from, and the part of their metadata that is kept.

Names, versions, licences and entry points stay, where scanners and `importlib.metadata` look for
them. Lists of files and digests would be wrong for the changed files, so they are left out.
"""

import shutil
from collections.abc import Iterable
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path

_FILES = ("entry_points.txt", "top_level.txt")
_FOLDERS = ("licenses",)
_LICENSES = ("LICENSE*", "LICENCE*", "COPYING*", "NOTICE*")


def owners(site: Path, files: Iterable[Path]) -> list[Distribution]:
    """Return the distributions that have any of these files, sorted by name."""
    kept = set(files)
    return sorted(
        (
            distribution
            for distribution in distributions(path=[str(site)])
            if any(site / file in kept for file in distribution.files or ())
        ),
        key=lambda distribution: distribution.name.lower(),
    )


def entry(site: Path, name: str, command: str) -> EntryPoint:
    """Return the entry point of a distribution's command, as in its `[project.scripts]`."""
    [distribution] = distributions(name=name, path=[str(site)])
    [found] = distribution.entry_points.select(group="console_scripts", name=command)
    return found


def folder(distribution: Distribution, site: Path) -> Path:
    """Return the folder of a distribution's metadata."""
    [metadata] = {site / file.parent for file in distribution.files or () if file.name == "RECORD"}
    return metadata


def copy_metadata(source: Path, target: Path) -> None:
    """Copy the identifying metadata and the licences."""
    target.mkdir(parents=True)
    headers, _, _ = (source / "METADATA").read_text("utf-8").partition("\n\n")
    (target / "METADATA").write_text(headers + "\n", "utf-8")  # without the README
    for pattern in (*_FILES, *_LICENSES):
        for file in source.glob(pattern):
            shutil.copyfile(file, target / file.name)
    for name in _FOLDERS:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name)
