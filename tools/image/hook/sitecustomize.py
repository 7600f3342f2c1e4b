"""Write down what a program imports, in the file that IMPORT_LOG names, a line at a time.

The interpreter imports this by itself at start when the folder is on PYTHONPATH. A program that
leaves by `os._exit` has its imports written all the same.
"""

import os
import sys


class _Note:
    """Is asked for every module first, and never has it."""

    def __init__(self, path: str) -> None:
        self._log = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def find_spec(self, name: str, *_: object) -> None:
        """Write the name down."""
        os.write(self._log, f"{name}\n".encode())


sys.meta_path.insert(0, _Note(os.environ["IMPORT_LOG"]))
