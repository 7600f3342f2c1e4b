"""Makes the image's file system from a virtual environment: assemble PLAN VENV ROOT.

It keeps what our own modules can reach: by import statements, followed from file to file, by trial
runs, and by the plan's list of what neither shows. At the end it checks the result against the
environment, so that it never makes an image in which something is missing.
"""

import argparse
import os
import shutil
import subprocess
import sys
import sysconfig
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

from tools.image import bill, bytecode, check, debian, distributions, natives, plan, tree, trial
from tools.image.closure import Module, Modules

_PYTHON = Path(f"/usr/bin/python{sys.version_info.major}.{sys.version_info.minor}")
_STDLIB = Path(sysconfig.get_path("stdlib"))
_DYNLOAD = Path(sysconfig.get_config_var("DESTSHARED"))
_SITE = Path("/usr/local/lib", _PYTHON.name, "dist-packages")
"""The folder in which Debian's Python looks for packages that are not Debian's."""
_PROGRAMS = Path("/usr/local/bin")


@dataclass(frozen=True)
class _Work:
    plan: plan.Plan
    venv: Path
    root: Path
    epoch: int

    @property
    def site(self) -> Path:
        """The folder of the environment's packages."""
        return self.venv / "lib" / _PYTHON.name / "site-packages"

    def place(self, path: Path) -> Path:
        """Return the image's path for a path of this system."""
        for source, target in ((self.site, _SITE), (Path("/"), Path("/"))):
            if path.is_relative_to(source):
                return target / path.relative_to(source)
        raise ValueError(path)

    def below(self, path: Path) -> Path:
        """Return the present path of a file of the image, and make its folder."""
        target = self.root / path.relative_to("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        return target


def main() -> None:
    """Make the file system, or exit with the error."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("plan", type=Path)
    parser.add_argument("venv", type=Path)
    parser.add_argument("root", type=Path)
    given = parser.parse_args()
    epoch = int(os.environ.get("SOURCE_DATE_EPOCH", "0"))
    work = _Work(plan.read(given.plan), given.venv, given.root, epoch)

    outcomes, imported = trial.watch(work.venv / "bin", work.plan.runs)
    modules = _choose(work, imported)
    tree.prepare(work.root)
    _copy_modules(work, modules)
    _copy_data(work)
    system = _copy_programs(work)
    _describe(work, {module.file for module in modules.values() if module.file}, system)
    check.modules(work.venv / "bin/python", work.below(_PYTHON), modules)
    check.runs(outcomes, work.below(_PYTHON), work.below(_PROGRAMS), work.plan.runs)
    tree.settle(work.root, work.epoch)


def _choose(work: _Work, imported: Iterable[str]) -> dict[str, Module]:
    """Return the modules to keep, by name."""
    every = Modules([_STDLIB, _DYNLOAD, work.site], work.plan.cut)
    if unknown := [name for name in work.plan.keep if every.find(name) is None]:
        sys.exit(f"there is no {', '.join(unknown)} to keep")
    return every.closure({*work.plan.keep, *every.below(work.plan.package), *imported})


def _copy_modules(work: _Work, modules: Mapping[str, Module]) -> None:
    for module in modules.values():
        if module.file is None:
            continue
        place = work.place(module.file)
        if module.is_native:
            natives.copy(module.file, work.below(place))
        else:
            own = module.name.partition(".")[0] == work.plan.package
            bytecode.write(module.file, work.below(place), str(place), docstrings=own)


def _copy_data(work: _Work) -> None:
    for pattern in work.plan.data:
        if not (found := sorted(work.site.glob(pattern))):
            sys.exit(f"there is no {pattern}")
        for file in found:
            shutil.copyfile(file, work.below(work.place(file)))
    for name, to in work.plan.links.items():
        work.below(_SITE / name).symlink_to(to)


def _copy_programs(work: _Work) -> set[Path]:
    """Copy the interpreter, our command, and all libraries; return those that are Debian's."""
    python = work.below(_PYTHON)
    copied = {_PYTHON, *map(Path, work.plan.programs)}
    for program in copied:
        natives.copy(program, work.below(program))
    (python.parent / "python3").symlink_to(_PYTHON.name)
    entry = distributions.entry(work.site, work.plan.distribution, work.plan.command)
    tree.write_program(work.below(_PROGRAMS / work.plan.command), str(_PYTHON), entry)
    own = map(work.below, sorted(copied))
    for library in natives.needed([*own, *sorted(work.root.rglob("*.so"))]):
        copied |= natives.copy_library(library, work.root)
    return copied


def _describe(work: _Work, files: set[Path], system: set[Path]) -> None:
    """Write the lists of the image's packages, for scanners and for people."""
    packages = debian.owners({*files, *system, *tree.SOURCES})
    debian.write(packages, work.root)
    used = distributions.owners(work.site, files)
    for distribution in used:
        metadata = distributions.folder(distribution, work.site)
        distributions.copy_metadata(metadata, work.below(_SITE / metadata.name))
    wheels = [
        bill.Wheel(distribution, distributions.folder(distribution, work.site), linked)
        for distribution in used
        for linked in [_linked(work, distribution.name)]
    ]
    document = bill.make(work.plan.distribution, wheels, packages, work.epoch)
    target = work.below(Path("/usr/share/sbom", f"{work.plan.distribution}.cdx.json"))
    target.write_text(document, "utf-8")
    sys.stdout.write(f"{len(used)} distributions, {len(packages)} Debian packages\n")


def _linked(work: _Work, distribution: str) -> tuple[str, str] | None:
    """Return name and version of the library that is linked into a distribution, if any."""
    library = work.plan.vendored.get(distribution.lower())
    if library is None:
        return None
    told = subprocess.run(
        [work.venv / "bin/python", "-c", library["version"]],
        check=True,
        stdout=subprocess.PIPE,
        text=True,
    )
    return library["name"], told.stdout.strip()


if __name__ == "__main__":
    main()
