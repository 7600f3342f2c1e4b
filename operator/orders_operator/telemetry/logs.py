"""Logs on stdout, one JSON object a line, with the same fields as the order service's lines."""

import logging
import re
import sys
import time
from typing import Any, Final, TextIO

from pythonjsonlogger.json import JsonFormatter

from orders_operator.telemetry.context import current

_QUIET: Final = {
    "kopf": logging.WARNING,
    "kopf.objects": logging.WARNING,  # a line for each event it hands over
    "kopf._core.reactor.running": logging.ERROR,  # warns that its thread takes no signals
    "kopf._core.reactor.observation": logging.ERROR,  # warns of kinds that are not served
    "aiohttp.access": logging.WARNING,
    "asyncio": logging.WARNING,
    "httpcore2": logging.WARNING,
    "httpx2": logging.WARNING,
}
_CREDENTIALS: Final = re.compile(r"://[^/\s@]*@")


class _Lines(JsonFormatter):
    """Adds the ids of the current reconcile, and names the fields as the service does."""

    def __init__(self) -> None:
        super().__init__(
            "{levelname}{name}{message}",
            style="{",
            rename_fields={"levelname": "level", "name": "logger", "exc_info": "exception"},
        )

    def add_fields(
        self,
        log_data: dict[str, Any],
        record: logging.LogRecord,
        message_dict: dict[str, Any],
    ) -> None:
        """Put the time first and the ids after the message."""
        seconds = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
        log_data["time"] = f"{seconds}.{int(record.msecs):03d}Z"
        super().add_fields(log_data, record, message_dict)
        context = current.get()
        if context is not None:
            log_data["trace_id"] = context.trace_id
            log_data["span_id"] = context.span_id
            log_data.setdefault("namespace", context.namespace)
            log_data.setdefault("resource", context.name)


class _NoCredentials(logging.Filter):
    """Masks the user and password in URLs; no line has a reason to contain them."""

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        if "@" in text and "://" in text:
            record.msg, record.args = _CREDENTIALS.sub("://***@", text), ()
        return True


def configure(level: str, stream: TextIO | None = None) -> None:
    """Send all logging to stdout from `level` on."""
    handler = logging.StreamHandler(sys.stdout if stream is None else stream)
    handler.setFormatter(_Lines())
    handler.addFilter(_NoCredentials())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    for name, floor in _QUIET.items():
        logging.getLogger(name).setLevel(max(floor, root.level))
