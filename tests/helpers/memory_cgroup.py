"""A control group with a limit of memory, as a container has one; for whoever may make it."""

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

_VERSION_1 = Path("/sys/fs/cgroup/memory"), "memory.limit_in_bytes"
_VERSION_2 = Path("/sys/fs/cgroup"), "memory.max"


@contextlib.contextmanager
def memory_group(limit: int) -> Iterator[Path | None]:
    """Make a group below our own for the processes that join it; None where that is not allowed.

    It is removed at the end, when its processes have ended.
    """
    for tree, name in (_VERSION_1, _VERSION_2):
        group = tree / _own(tree) / f"orders-test-{os.getpid()}"
        try:
            group.mkdir()
        except OSError:
            continue
        try:
            (group / name).write_text(str(limit), "ascii")
        except OSError:
            group.rmdir()
            continue
        yield group
        group.rmdir()
        return
    yield None


def _own(tree: Path) -> Path:
    """Return the path of our own group in a tree, as far as it is there."""
    for line in Path("/proc/self/cgroup").read_text("ascii").splitlines():
        _, controllers, path = line.split(":", 2)
        if controllers == ("memory" if tree == _VERSION_1[0] else ""):
            own = Path(path.lstrip("/"))
            if (tree / own).is_dir():
                return own
    return Path()
