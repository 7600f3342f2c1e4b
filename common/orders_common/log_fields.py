"""Turns a log record into the fields of one line of JSON.

The service and its operator name these fields alike, so that one query finds the lines of both.
Each adds what is its own, and encodes the line.
"""

import logging
import time
import traceback
from collections.abc import Container
from typing import Any, Final

from orders_common.masking import Mask, masked

_STANDARD: Final = frozenset(vars(logging.makeLogRecord({}))) | {"message", "asctime", "taskName"}
"""What every record has; any other attribute is an extra field."""


class Clock:
    """Formats instants; what is the same as for the last one is kept."""

    def __init__(self) -> None:
        self._instant = self._second = -1
        self._prefix = self._text = ""

    def stamp(self, at: float) -> str:
        """Return RFC 3339 in UTC with milliseconds."""
        instant = int(at * 1000)
        if instant != self._instant:
            self._instant = instant
            second, ms = divmod(instant, 1000)
            if second != self._second:
                self._second = second
                self._prefix = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
            self._text = f"{self._prefix}.{ms:03d}Z"
        return self._text


class LogFields:
    """Reads the fields of log records."""

    def __init__(self, mask: Mask = masked) -> None:
        """Start a clock; `mask` keeps secrets out of what is logged."""
        self._mask = mask
        self.stamp = Clock().stamp

    def head(self, record: logging.LogRecord) -> dict[str, Any]:
        """Return the fields that every line begins with."""
        return {
            "time": self.stamp(record.created),
            "level": record.levelname,
            "logger": record.name,
            "message": self._shown(record.getMessage()),
        }

    def extras(self, record: logging.LogRecord, taken: Container[str]) -> dict[str, Any]:
        """Return the record's extra fields, except those whose names are taken.

        Numbers, truth values and None stay what they are; anything else becomes its text.
        """
        return {
            name: value
            if value is None or isinstance(value, (bool, int, float))
            else self._shown(str(value))
            for name, value in vars(record).items()
            if name not in _STANDARD and name not in taken
        }

    def exception(self, record: logging.LogRecord) -> str:
        """Return the traceback of a record that has one."""
        return self._shown(traceback_of(record))

    def _shown(self, text: str) -> str:
        return encodable(self._mask(text))


def traceback_of(record: logging.LogRecord) -> str:
    """Return the lines of a record's traceback, as they are."""
    kind, error, trace = record.exc_info or (None, None, None)
    return "".join(traceback.format_exception(kind, error, trace))


def encodable(text: str) -> str:
    """Return text that every encoder takes: what came in as broken UTF-8 is replaced."""
    return text if text.isascii() else text.encode("utf-8", "replace").decode()
