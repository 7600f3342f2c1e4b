"""A request's identity: the caller's W3C Trace Context, or ids of our own.

Every request gets a trace id and a span id, recorded or not, so that its log lines and its answer
can be found. Nothing here needs the OpenTelemetry SDK.
"""

import re
from collections.abc import Mapping
from contextvars import ContextVar
from random import getrandbits
from types import MappingProxyType
from typing import Final

from msgspec import Struct

# Version 00 is exact; a later one may go on after a dash; ff is invalid (Trace Context, 3.2.2).
_TRACEPARENT: Final = re.compile(
    r"(?!ff)[0-9a-f]{2}-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
)
_EXACT_LENGTH: Final = 55
_LONGEST_STATE: Final = 512
"""Characters of a tracestate that is passed on, as many as are asked for (3.3.1, limits)."""
_NO_HEADERS: Final[Mapping[str, str]] = MappingProxyType({})


class TraceContext(Struct, gc=False):
    """The ids of one request, and who asked; `parent_id` is None when the trace starts here.

    `connection` is ADDRESS:PORT of the caller's end; of the headers some are told of the request;
    `version` is that of HTTP. `subject` is who calls, where callers have to say it.
    """

    trace_id: str
    span_id: str
    parent_id: str | None = None
    parent_sampled: bool | None = None
    sampled: bool = False
    tracestate: str = ""
    connection: str = ""
    headers: Mapping[str, str] = _NO_HEADERS
    query: str = ""
    version: str = ""
    subject: str = ""

    def traceparent(self) -> str:
        """Return the header for a call made on this request's behalf."""
        return f"00-{self.trace_id}-{self.span_id}-{int(self.sampled):02x}"


current: ContextVar[TraceContext | None] = ContextVar("orders_trace_context", default=None)
"""The request being served; log lines take their ids from here."""


def fresh() -> TraceContext:
    """Return a new trace."""
    ids = f"{getrandbits(192):048x}"
    return TraceContext(ids[:32], ids[32:])


def continued(traceparent: str, tracestate: str) -> TraceContext:
    """Return the caller's trace with a span of ours; a malformed header is ignored (3.2.2)."""
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None or (traceparent[:2] == "00" and len(traceparent) != _EXACT_LENGTH):
        return fresh()
    context = TraceContext(match[1], f"{getrandbits(64) or 1:016x}")
    context.parent_id = match[2]
    context.parent_sampled = bool(int(match[3], 16) & 1)
    if len(tracestate) <= _LONGEST_STATE:
        context.tracestate = tracestate
    return context
