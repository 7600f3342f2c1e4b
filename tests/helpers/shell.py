"""One shell in which the blocks of a page run after each other, as a reader pastes them."""

import os
import subprocess
from pathlib import Path
from typing import Final, Self

_END: Final = "the block has ended with"


class Shell:
    """Bash, in a folder; what one block defines the next ones have."""

    def __init__(self, folder: Path) -> None:
        self._bash = subprocess.Popen(
            ["bash", "--norc"],
            cwd=folder,
            env={name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def run(self, block: str) -> str:
        """Return what a block prints, to either stream.

        Raises:
            AssertionError: its last command failed, or the shell has ended.
        """
        assert self._bash.stdin is not None
        assert self._bash.stdout is not None
        self._bash.stdin.write(f"{block}\nprintf '\\n{_END} %s\\n' $?\n")
        self._bash.stdin.flush()
        printed: list[str] = []
        for line in self._bash.stdout:
            if line.startswith(_END):
                said = "".join(printed)
                assert "0" == line.split()[-1], f"{block}\n{said}"
                return said
            printed.append(line)
        raise AssertionError(f"the shell has ended in\n{block}\n{''.join(printed)}")

    def __enter__(self) -> Self:
        """Have it, until the end."""
        return self

    def __exit__(self, *_: object) -> None:
        """End it."""
        with self._bash:
            self._bash.kill()
