"""The Go programs of a release: a registry and its clients, cosign, and syft for bills."""

from pathlib import Path
from typing import Final

from tools.go_programs import Programs, ToolFailed, available

__all__ = ["COSIGN", "MISSING", "REGISTRY", "SYFT", "ToolFailed", "available"]

_HERE: Final = Path(__file__).parent / "programs"
REGISTRY: Final = Programs("release", _HERE)
"""`registry`, `crane` and `oras`."""
COSIGN: Final = Programs("cosign", _HERE / "cosign")
SYFT: Final = Programs("syft", _HERE / "syft")
MISSING: Final = "Go is not there: the registry, crane, oras, cosign and syft cannot be built"
