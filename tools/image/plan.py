"""The content of an image, read from a TOML file: `service.toml`, `operator.toml`.

`common.toml` has what both share; its tables and lists come first.
"""

import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

_COMMON = Path(__file__).with_name("common.toml")


@dataclass(frozen=True)
class Run:
    """A command whose imports are recorded, and the requests that it gets while it runs."""

    command: list[str]
    environ: dict[str, str] = field(default_factory=dict)
    ports: list[str] = field(default_factory=list)
    """Variables for a port: each gets a free one, because a builder may share the host's ports."""
    requests: list[str] = field(default_factory=list)
    """`METHOD URL`, with `{VARIABLE}` for a port; with any, the command serves, and is ended by
    SIGTERM after the last one."""


@dataclass(frozen=True)
class Plan:
    """The content of an image."""

    distribution: str
    """The name of our own distribution."""
    package: str
    """The name of its package for imports; all of its modules are kept."""
    command: str
    """Its program, as in `[project.scripts]`."""
    keep: list[str]
    """Modules that are imported in ways that neither reading nor running shows."""
    cut: dict[str, str]
    """Modules that are left out with everything below them, though something imports them; and
    why."""
    programs: list[str]
    """Debian's programs that start the image, as paths."""
    data: list[str]
    """Files that are not modules, relative to site-packages; wildcards are allowed."""
    links: dict[str, str]
    """Files of site-packages that become links, and their targets."""
    vendored: dict[str, dict[str, str]]
    """Libraries that are linked into a distribution: `name`, and code that prints `version`."""
    runs: list[Run]
    """Commands whose imports are recorded."""


def read(path: Path) -> Plan:
    """Read a plan, and merge it with the common one."""
    common, own = (tomllib.loads(file.read_text("utf-8")) for file in (_COMMON, path))
    merged: dict[str, Any] = {**own}
    for name in ("keep", "programs", "data"):
        merged[name] = [*common.get(name, ()), *own.get(name, ())]
    for name in ("cut", "links", "vendored"):
        merged[name] = {**common.get(name, {}), **own.get(name, {})}
    merged["runs"] = [Run(**run) for run in own.get("runs", ())]
    return Plan(**merged)
