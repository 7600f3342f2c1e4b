"""Logs on stdout, one JSON object a line, with the same fields as the order service's lines."""

import json
import logging
import re
import sys
from typing import Final, TextIO

from orders_common.log_fields import LogFields
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
_OF_KOPF: Final = frozenset(("k8s_ref", "k8s_skip", "settings"))
"""What Kopf adds to each record about an object, for its own formatter and its events."""


class _Lines(logging.Formatter):
    """Adds the ids of the current reconcile, and the resource that a line of Kopf is about."""

    def __init__(self) -> None:
        super().__init__()
        self._fields = LogFields(_without_credentials)

    def format(self, record: logging.LogRecord) -> str:
        """Return one JSON object."""
        fields = self._fields.head(record)
        if record.exc_info:
            fields["exception"] = self._fields.exception(record).removesuffix("\n")
        fields |= self._fields.extras(record, _OF_KOPF | fields.keys())
        context = current.get()
        if context is not None:
            fields["trace_id"] = context.trace_id
            fields["span_id"] = context.span_id
            fields.setdefault("namespace", context.namespace)
            fields.setdefault("resource", context.name)
        elif reference := getattr(record, "k8s_ref", None):
            fields["namespace"] = reference["namespace"]
            fields["resource"] = reference["name"]
        return json.dumps(fields)


def _without_credentials(text: str) -> str:
    """Mask the user and password in URLs; no line has a reason to contain them.

    The service's masks would also hide the name of an image with tag and digest, which is what
    many lines are about and which looks like user:password@host.
    """
    return _CREDENTIALS.sub("://***@", text) if "@" in text and "://" in text else text


def configure(level: str, stream: TextIO | None = None) -> None:
    """Send all logging to stdout from `level` on."""
    handler = logging.StreamHandler(sys.stdout if stream is None else stream)
    handler.setFormatter(_Lines())
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
    logging.captureWarnings(capture=True)
    for name, floor in _QUIET.items():
        logging.getLogger(name).setLevel(max(floor, root.level))
