"""The committed OpenAPI document against the real server, by schemathesis.

Bounded: EXAMPLES cases for each operation in the fuzzing phase and as many sequences in the
stateful one; examples and coverage are as many as the document has. The cases are the same each
time. Left out or allowed are only the two things in `schemathesis.toml` and its hooks.
"""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.server import Server

ROOT = Path(__file__).parents[2]
EXAMPLES = 100


@pytest.mark.timeout(120)
def test_the_document_is_true(database_url: str, serve: Callable[..., Server]) -> None:
    """All checks in all phases, stateful too, find no failure."""
    server = serve(DATABASE_URL=database_url)
    run = subprocess.run(
        [
            Path(sys.executable).with_name("schemathesis"),
            "--config-file", "tests/integration/schemathesis.toml",
            "run", "docs/openapi.json",
            "--url", server.url,
            "--checks", "all",
            "--phases", "examples,coverage,fuzzing,stateful",
            "--max-examples", str(EXAMPLES),
        ],
        cwd=ROOT,
        env=os.environ | {"NO_COLOR": "1"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )  # fmt: skip

    assert 0 == run.returncode, run.stdout
