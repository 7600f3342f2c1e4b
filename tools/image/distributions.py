"""The packages that the kept modules come from, and what of their metadata goes along.

Names, versions, licences and entry points stay, where scanners and `importlib.metadata` look for
them. Lists of files and digests would be wrong after what is done to the files, and stay behind.
"""

import shutil
from collections.abc import Iterable
from importlib.metadata import Distribution, EntryPoint, distributions
from pathlib import Path

_FILES = ("entry_points.txt", "top_level.txt")
_FOLDERS = ("licenses",)
_LICENSES = ("LICENSE*", "LICENCE*", "COPYING*", "NOTICE*")


def owners(site: Path, files: Iterable[Path]) -> list[Distribution]:
    """Return the distributions that have any of these files, in the order of their names."""
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
    """Return what a distribution's command calls, as its `[project.scripts]` says."""
    [distribution] = distributions(name=name, path=[str(site)])
    [found] = distribution.entry_points.select(group="console_scripts", name=command)
    return found


def folder(distribution: Distribution, site: Path) -> Path:
    """Return where its metadata are."""
    [metadata] = {site / file.parent for file in distribution.files or () if file.name == "RECORD"}
    return metadata


def copy_metadata(source: Path, target: Path) -> None:
    """Copy what says what it is, and its licences."""
    target.mkdir(parents=True)
    headers, _, _ = (source / "METADATA").read_text("utf-8").partition("\n\n")
    (target / "METADATA").write_text(headers + "\n", "utf-8")  # without the README
    for pattern in (*_FILES, *_LICENSES):
        for file in source.glob(pattern):
            shutil.copyfile(file, target / file.name)
    for name in _FOLDERS:
        if (source / name).is_dir():
            shutil.copytree(source / name, target / name)
