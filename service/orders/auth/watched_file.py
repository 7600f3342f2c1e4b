"""A file that is read at start, where it must be right, and again when it has changed.

A later error goes to the log, and the content that was read before stays in use: neither a slip
nor a late volume opens the service or closes it.
"""

import codecs
import logging
import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from orders.config import ConfigError

EVERY: Final = 10.0
"""Seconds between two checks."""
LARGEST: Final = 4 * 1024 * 1024
"""The most bytes that a file may have."""

log = logging.getLogger("orders.auth")


class WatchedFile:
    """A file that a variable names."""

    def __init__(self, variable: str, path: str, take: Callable[[bytes], None]) -> None:
        """Keep where it is.

        Args:
            variable: for messages.
            path: of the file.
            take: is given the content, and raises ValueError if that is wrong.

        """
        self.path = path
        self._variable = variable
        self._take = take
        self._seen: object = ()  # as no file is
        self._trouble = ""

    def load(self) -> None:
        """Read it.

        Raises:
            ConfigError: it is missing or wrong.

        """
        self._seen = self._identity()
        try:
            self._take(self._read())
        except OSError as error:
            self._seen = ()  # it may be as it was, and readable again: as when descriptors ran out
            raise self._wrong(f"a readable file ({error.strerror})") from None
        except UnicodeDecodeError:
            raise self._wrong("a file of UTF-8 text") from None
        except ValueError as error:
            raise ConfigError(f"{self._variable} is {self.path!r}: {error}") from None

    def look(self) -> None:
        """Read it again if it has changed."""
        if self._identity() == self._seen:
            return
        try:
            self.load()
        except ConfigError as error:
            if str(error) != self._trouble:
                self._trouble = str(error)
                log.warning("%s; its previous content stays in force", error)
        else:
            self._trouble = ""
            log.info("%s was read again", self._variable)

    def _read(self) -> bytes:
        with Path(self.path).open("rb") as file:
            content = file.read(LARGEST + 1)
        if len(content) > LARGEST:
            raise ValueError(f"it has more than {LARGEST:,} bytes")
        return content.removeprefix(codecs.BOM_UTF8)  # it would be a part of the first word

    def _identity(self) -> object:
        """Return what changes with the content, and with the link that a volume of files swaps."""
        try:
            status = os.stat(self.path)  # noqa: PTH116  a name for each of its fields
        except OSError:
            return None
        return (status.st_ino, status.st_mtime_ns, status.st_size)

    def _wrong(self, allowed: str) -> ConfigError:
        return ConfigError(f"{self._variable} is {self.path!r}; allowed: {allowed}")
