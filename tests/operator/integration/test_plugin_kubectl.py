"""`kubectl orders` and the kubectl that it starts: how that ends is known, and said once."""

import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from orders_operator.plugin import Refused
from orders_operator.plugin.kubectl_proxy import Access, kubectl_proxy
from tests.helpers.ignored_sigchld import deaf

PROGRAM: Final = Path(sys.executable).with_name("kubectl-orders")
MANY: Final = 50


@pytest.fixture(autouse=True)
def kubectl(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Have a kubectl that knows no cluster."""
    program = tmp_path / "kubectl"
    program.write_text("#!/bin/sh\necho 'error: no such cluster' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")


def test_a_parent_that_ignores_children_changes_nothing() -> None:
    """What went wrong is one line; asyncio has nothing to say."""
    with deaf():
        process = subprocess.Popen(
            [PROGRAM, "status"], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
    out, err = process.communicate(timeout=30)

    assert (1, "", "kubectl orders: no such cluster\n") == (process.returncode, out, err)


async def test_one_that_has_ended_is_waited_for_once(caplog: pytest.LogCaptureFixture) -> None:
    """However the end of kubectl meets the end of its use, asyncio knows how it ended."""
    caplog.set_level(logging.WARNING, "asyncio")
    for _ in range(MANY):
        with pytest.raises(Refused, match="no such cluster"):
            async with kubectl_proxy(Access()):
                pass

    assert [] == caplog.messages
