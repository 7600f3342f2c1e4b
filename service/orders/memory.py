"""How much memory the process may use, and how much it uses.

A container's limit is that of its control group, or of one around it. Version 2 keeps groups in
one tree, version 1 has a tree for memory. Inside a container either tree begins at its own group,
so a path of the machine that does not exist there is skipped.
"""

import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

_GROUPS: Final = "proc/self/cgroup"
_VERSION_2: Final = "sys/fs/cgroup", "memory.max"
_VERSION_1: Final = "sys/fs/cgroup/memory", "memory.limit_in_bytes"
_LINE: Final = re.compile(r"(\d+):([^:]*):/(.*)")
_PAGE: Final = os.sysconf("SC_PAGE_SIZE")


def available(root: Path = Path("/")) -> int:
    """Return the bytes that the machine has, or fewer if a control group has a limit.

    Args:
        root: where `proc` and `sys` are.

    """
    return min([_PAGE * os.sysconf("SC_PHYS_PAGES"), *_limits(root)])


def resident() -> int:
    """Return the process's resident bytes, shared libraries included; 0 if they are unknown."""
    try:
        return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * _PAGE
    except OSError:
        return 0


def _limits(root: Path) -> Iterator[int]:
    """Yield the limit of each group that the process is in."""
    try:
        lines = (root / _GROUPS).read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for number, controllers, path in (m.groups() for m in map(_LINE.fullmatch, lines) if m):
        if number == "0":
            tree, name = _VERSION_2
        elif "memory" in controllers.split(","):
            tree, name = _VERSION_1
        else:
            continue
        group = Path(path)
        for folder in (group, *group.parents):
            try:
                text = (root / tree / folder / name).read_text(encoding="ascii").strip()
            except OSError:
                continue
            if text.isdigit():  # "max" is none
                yield int(text)
