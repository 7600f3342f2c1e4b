"""The Go programs of a release: a registry, clients of registries, and makers of bills."""

from pathlib import Path
from typing import Final

from tools.go_programs import Programs, available

__all__ = ["MISSING", "REGISTRY", "SYFT", "available"]

_HERE: Final = Path(__file__).parent / "programs"
REGISTRY: Final = Programs("release", _HERE)
"""`registry`, `crane` and `oras`."""
SYFT: Final = Programs("syft", _HERE / "syft")
MISSING: Final = "Go is not there: the registry, crane, oras and syft cannot be built"
