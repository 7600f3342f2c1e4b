"""The credential of a load: one word in a file, which is read again every 10 s.

A token that Kubernetes projects into a pod is replaced before it expires. While the file cannot be
read, or is being written, the earlier credential stays.
"""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Final

API_KEY: Final = "X-Api-Key: "
BEARER: Final = "Authorization: Bearer "

_WORD: Final = re.compile(r"[!-~]{1,16000}").fullmatch
_SECONDS: Final = 10.0


def word(path: Path) -> str:
    """Return the word in a file.

    Raises:
        ValueError: it cannot be read, or has more or less than one word of visible ASCII.

    """
    try:
        text = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError) as error:
        raise ValueError(str(path)) from error
    if _WORD(text) is None:
        raise ValueError(str(path))
    return text


class Credential:
    """A credential as a header line of requests; empty without a file."""

    def __init__(
        self,
        api_key_file: Path | None = None,
        token_file: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Take the file of an API key, or that of a bearer token."""
        self._field = API_KEY if token_file is None else BEARER
        self._path = token_file or api_key_file
        self._clock = clock
        self._line = ""
        self._until = 0.0

    def line(self) -> str:
        """Return the line; empty without a file.

        Raises:
            ValueError: the file never had a credential.

        """
        if self._path is None or (self._line and self._clock() < self._until):
            return self._line
        self._until = self._clock() + _SECONDS
        try:
            self._line = f"{self._field}{word(self._path)}\r\n"
        except ValueError:
            if not self._line:
                raise
        return self._line
