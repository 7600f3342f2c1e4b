"""Finds the modules that a set of modules can reach, by reading their import statements.

Statements inside functions count, so that a path that no trial run takes works as well; those
under `if TYPE_CHECKING` and for other systems do not. A module that is not found is an optional
dependency, and ignored.
"""

import ast
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import (
    EXTENSION_SUFFIXES,
    SOURCE_SUFFIXES,
    ExtensionFileLoader,
    FileFinder,
    SourceFileLoader,
)
from pathlib import Path
from types import SimpleNamespace

_LOADERS = ((ExtensionFileLoader, EXTENSION_SUFFIXES), (SourceFileLoader, SOURCE_SUFFIXES))
_KNOWN = {
    "TYPE_CHECKING": False,
    "typing": SimpleNamespace(TYPE_CHECKING=False),
    "t": SimpleNamespace(TYPE_CHECKING=False),
    "os": SimpleNamespace(name="posix"),
    "sys": SimpleNamespace(
        platform="linux",
        version_info=sys.version_info,
        implementation=SimpleNamespace(name="cpython"),
    ),
    "__builtins__": {},
}
_DECIDABLE = (
    ast.expr_context, ast.Name, ast.Attribute, ast.Constant, ast.Tuple, ast.Compare, ast.cmpop,
    ast.BoolOp, ast.boolop, ast.UnaryOp, ast.unaryop, ast.Subscript, ast.Slice,
)  # fmt: skip


@dataclass(frozen=True)
class Module:
    """A module and its file; a namespace package has none."""

    name: str
    file: Path | None
    folders: tuple[str, ...] | None
    """The folders of its submodules; None if it is not a package."""

    @property
    def is_native(self) -> bool:
        """Whether it is a shared library."""
        return self.file is not None and self.file.name.endswith(tuple(EXTENSION_SUFFIXES))

    @property
    def is_source(self) -> bool:
        """Whether it is Python."""
        return self.file is not None and self.file.suffix == ".py"


class Modules:
    """All modules of some folders, wanted or not."""

    def __init__(self, folders: Sequence[Path], cut: Mapping[str, str]) -> None:
        """Take the folders, in the order of the search, and the modules to leave out."""
        self._folders = [str(folder) for folder in folders]
        self._cut = cut
        self._found: dict[str, Module | None] = {}

    def find(self, name: str) -> Module | None:
        """Return a module if it is there and not cut."""
        if name not in self._found:
            self._found[name] = None if self.is_cut(name) else self._search(name)
        return self._found[name]

    def is_cut(self, name: str) -> bool:
        """Return whether a module is left out, by itself or with a package."""
        return any(name == cut or name.startswith(f"{cut}.") for cut in self._cut)

    def below(self, name: str) -> Iterator[str]:
        """Yield a module and all modules below it."""
        yield name
        module = self.find(name)
        for folder in (module.folders or ()) if module else ():
            for path in sorted(Path(folder).iterdir()):
                child = path.name.partition(".")[0]
                if child.isidentifier() and child not in {"__init__", "__pycache__"}:
                    child = f"{name}.{child}"
                    if self.find(child):
                        yield from self.below(child)

    def closure(self, roots: Iterable[str]) -> dict[str, Module]:
        """Return all modules that the roots can reach, the roots and their packages included."""
        reached: dict[str, Module] = {}
        waiting = list(roots)
        while waiting:
            name = waiting.pop()
            module = self.find(name)
            if module is None or name in reached:
                continue
            reached[name] = module
            waiting.append(name.rpartition(".")[0])
            if module.is_source:
                waiting += self._imports(module)
        return dict(sorted(reached.items()))

    def _search(self, name: str) -> Module | None:
        parent, _, last = name.rpartition(".")
        folders: Sequence[str] | None = self._folders
        if parent:
            package = self.find(parent)
            folders = package.folders if package else None
        portions: list[str] = []
        for folder in folders or () if last else ():
            spec = FileFinder(folder, *_LOADERS).find_spec(last)
            if spec is None:
                continue
            inside = spec.submodule_search_locations
            if spec.loader is not None and spec.origin is not None:
                return Module(name, Path(spec.origin), None if inside is None else tuple(inside))
            portions += inside or ()
        return Module(name, None, tuple(portions)) if portions else None

    def _imports(self, module: Module) -> Iterator[str]:
        assert module.file is not None  # noqa: S101
        package = module.name if module.folders is not None else module.name.rpartition(".")[0]
        for statement in _statements(ast.parse(module.file.read_bytes())):
            if isinstance(statement, ast.Import):
                yield from (alias.name for alias in statement.names)
                continue
            base = statement.module or ""
            if statement.level:
                parts = package.split(".")
                above = parts[: len(parts) - statement.level + 1]
                base = ".".join([*above, *([base] if base else [])])
            yield base
            if statement.names[0].name != "*":
                yield from (f"{base}.{alias.name}" for alias in statement.names)


def _statements(node: ast.AST) -> Iterator[ast.Import | ast.ImportFrom]:
    """Yield the import statements that can run in the image."""
    if isinstance(node, (ast.Import, ast.ImportFrom)):
        yield node
        return
    children: Iterable[ast.AST] = ast.iter_child_nodes(node)
    if isinstance(node, ast.If) and (value := _decided(node.test)) is not None:
        children = node.body if value else node.orelse
    for child in children:
        yield from _statements(child)


def _decided(test: ast.expr) -> bool | None:
    """Return the value of a condition in the image; None if only running it tells."""
    if not all(isinstance(node, _DECIDABLE) for node in ast.walk(test)):
        return None
    try:
        return bool(eval(ast.unparse(test), dict(_KNOWN)))  # noqa: S307  names and constants only
    except Exception:  # noqa: BLE001  a name that is not known here
        return None
