"""A Python process to which its kernel gives no socket for IPv6, as where that is switched off."""

from pathlib import Path
from typing import Final

_SITE: Final = """
import errno, os, socket

class IPv4Socket(socket.socket):
    def __init__(self, family=-1, *args, **named):
        if family == socket.AF_INET6:
            raise OSError(errno.EAFNOSUPPORT, os.strerror(errno.EAFNOSUPPORT))
        super().__init__(family, *args, **named)

socket.socket = IPv4Socket
"""


def python_path(folder: Path) -> str:
    """Return the PYTHONPATH of such a process; `folder` gets what it imports at its start."""
    (folder / "sitecustomize.py").write_text(_SITE, encoding="utf-8")
    return str(folder)
