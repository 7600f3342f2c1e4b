"""How much memory there is, by what the system says."""

import os
from pathlib import Path

import pytest

from orders import memory

MACHINE = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
LIMIT = 128 * 1024 * 1024


def system(root: Path, groups: str, **limits: str) -> Path:
    """Write what a system says of the process' groups; a file's path has `__` for `/`."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups, "utf-8")
    for path, text in limits.items():
        file = root / "sys/fs/cgroup" / path.replace("__", "/")
        file.parent.mkdir(parents=True, exist_ok=True)
        file.with_name(file.name.replace("memory_", "memory.")).write_text(text + "\n", "utf-8")
    return root


@pytest.mark.parametrize(
    ("groups", "limits"),
    [
        ("0::/\n", {"memory_max": str(LIMIT)}),
        ("0::/pod/orders\n", {"pod__orders__memory_max": str(LIMIT), "pod__memory_max": "max"}),
        ("0::/pod/orders\n", {"pod__orders__memory_max": "max", "pod__memory_max": str(LIMIT)}),
        ("0::/../elsewhere\n", {"memory_max": str(LIMIT)}),
        ("4:memory:/pod\n0::/\n", {"memory__pod__memory_limit_in_bytes": str(LIMIT)}),
        ("4:cpu,memory:/host/pod\n", {"memory__memory_limit_in_bytes": str(LIMIT)}),
    ],
    ids=["own", "nested", "around", "outside", "version 1", "version 1 in a container"],
)
def test_a_group_has_a_limit(tmp_path: Path, groups: str, limits: dict[str, str]) -> None:
    """The smallest limit of the group and of those around it is found, in both versions."""
    assert LIMIT == memory.available(system(tmp_path, groups, **limits))


@pytest.mark.parametrize(
    ("groups", "limits"),
    [
        ("0::/\n", {}),
        ("0::/pod\n", {"pod__memory_max": "max"}),
        ("4:memory:/\n", {"memory__memory_limit_in_bytes": "9223372036854771712"}),
        ("nonsense\n", {}),
    ],
)
def test_without_a_limit_it_is_the_machine(
    tmp_path: Path, groups: str, limits: dict[str, str]
) -> None:
    """Where no group has a limit, there is what the machine has."""
    assert MACHINE == memory.available(system(tmp_path, groups, **limits))


def test_without_groups_it_is_the_machine(tmp_path: Path) -> None:
    """On other systems there is nothing to read."""
    assert MACHINE == memory.available(tmp_path)
