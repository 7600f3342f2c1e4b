"""The parts of the image's file system that no package brings, and the final modes and times."""

import os
import shutil
from importlib.metadata import EntryPoint
from pathlib import Path

USER = 65532

_FILES = {
    "etc/passwd": (
        f"root:x:0:0:root:/:/sbin/nologin\nnonroot:x:{USER}:{USER}:nonroot:/:/sbin/nologin\n"
    ),
    "etc/group": f"root:x:0:\nnonroot:x:{USER}:\n",
    "etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\n",
}
_COPIES = ("/etc/ssl/certs/ca-certificates.crt", "/usr/lib/os-release", "/etc/debian_version")
SOURCES = frozenset(map(Path, (*_COPIES, "/usr/share/ca-certificates")))
"""Files of Debian's packages from which the files here are made."""
_LINKS = {
    "bin": "usr/bin",
    "lib": "usr/lib",
    "lib64": "usr/lib64",
    "etc/os-release": "../usr/lib/os-release",
}
_PROGRAM = """\
#!{python}
import sys

from {module} import {function}

sys.exit({function}())
"""


def prepare(root: Path) -> None:
    """Make what every program expects: users, name look-ups, certificate authorities, /tmp."""
    for name, text in _FILES.items():
        _write(root / name, text)
    for name in _COPIES:
        target = root / name.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(name, target)
    for name, to in _LINKS.items():
        (root / name).symlink_to(to)
    for folder in ("tmp", "usr/bin", "usr/lib64"):
        (root / folder).mkdir(parents=True, exist_ok=True)


def write_program(path: Path, python: str, entry: EntryPoint) -> None:
    """Write the command; the kernel finds the interpreter, so no shell is needed."""
    program = _PROGRAM.format(python=python, module=entry.module, function=entry.attr)
    _write(path, program)
    path.chmod(0o755)


def settle(root: Path, epoch: int) -> None:
    """Give everything the same owner, plain modes and one time, so that only contents count."""
    for folder, _, files in os.walk(root, topdown=False):
        for path in (*(Path(folder, name) for name in sorted(files)), Path(folder)):
            if path.is_dir() and not path.is_symlink():
                path.chmod(0o755)
            elif not path.is_symlink():
                path.chmod(0o755 if path.stat().st_mode & 0o100 else 0o644)
            os.chown(path, 0, 0, follow_symlinks=False)
    (root / "tmp").chmod(0o1777)
    for folder, folders, files in os.walk(root, topdown=False):
        for name in (*files, *folders):
            os.utime(Path(folder, name), (epoch, epoch), follow_symlinks=False)
    os.utime(root, (epoch, epoch))


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")
