"""Where the bench reads and writes; all that it builds and keeps is under `.cache/bench`."""

import os
import sys
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
BENCH: Final = ROOT / "bench"
GO_PEERS: Final = BENCH / "peers" / "go"
FASTAPI_PEER: Final = BENCH / "peers" / "fastapi"
MIGRATIONS: Final = ROOT / "service" / "orders" / "migrations"
CACHE: Final = ROOT / ".cache" / "bench"
BINARIES: Final = CACHE / "bin"
FASTAPI_VENV: Final = CACHE / "fastapi"
REVISIONS: Final = CACHE / "revisions"
LOGS: Final = CACHE / "logs"
PGDATA: Final = CACHE / "pgdata"
RAW: Final = CACHE / "results.json"
QUICK: Final = CACHE / "quick.json"
README: Final = ROOT / "README.md"
DOCS: Final = ROOT / "docs"
CONDENSED: Final = DOCS / "benchmarks.json"
REPORT: Final = DOCS / "benchmarks.md"
SCALE: Final = DOCS / "scale.json"
SCALE_PAGE: Final = DOCS / "scale.md"
OPERATOR: Final = DOCS / "operator.json"
OPERATOR_PAGE: Final = DOCS / "kubernetes.md"
CHARTS: Final = DOCS / "benchmarks"
HISTORY: Final = CHARTS / "history.json"
APART: Final = CHARTS / "apart.json"
IMAGE_SIZES: Final = CHARTS / "images.md"
"""What `tools/images --markdown` prints, kept by hand when the images have changed."""

PYTHON: Final = os.environ.get("BENCH_PYTHON") or sys.executable
"""The interpreter that runs this service and the FastAPI stack; `BENCH_PYTHON` names another."""
