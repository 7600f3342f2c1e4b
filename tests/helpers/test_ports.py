"""Ports for the servers of tests: nobody else is given them."""

import subprocess
import sys

from tests.helpers.ports import free_port

_PRINT = "from tests.helpers.ports import free_port; print(*(free_port() for _ in range(250)))"


def test_two_processes_never_get_the_same_port() -> None:
    """Whatever one of them has been given is not given to another one that runs meanwhile."""
    mine = {free_port() for _ in range(250)}
    done = subprocess.run(
        [sys.executable, "-c", _PRINT], check=True, capture_output=True, text=True, timeout=60
    )

    assert set() == mine & set(map(int, done.stdout.split()))
