"""Who a request is: W3C Trace Context in, ids of our own otherwise.

Every request gets a trace id and a span id, recorded or not, so that its log lines and its answer
can be found. Nothing here needs the OpenTelemetry SDK.
"""

import re
from contextvars import ContextVar
from random import getrandbits
from typing import Any, Final

# Version 00 is exact; a later one may go on after a dash; ff is invalid (Trace Context, 3.2.2).
_TRACEPARENT: Final = re.compile(
    rb"(?:00|(?!ff)(?!00)[0-9a-f]{2}(?=.{52}(?:-|$)))"
    rb"-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})(?:-.*)?"
)
_EXACT_LENGTH: Final = 55


class TraceContext:
    """The ids of one request; `parent_id` is None when the trace starts here."""

    __slots__ = ("parent_id", "parent_sampled", "sampled", "span", "span_id", "trace_id", "tracestate")

    def __init__(self, trace_id: str, span_id: str) -> None:
        """Start a trace that nobody records."""
        self.trace_id = trace_id
        self.span_id = span_id
        self.parent_id: str | None = None
        self.parent_sampled: bool | None = None
        self.sampled = False
        self.tracestate = ""
        self.span: Any = None

    def traceparent(self) -> str:
        """Return the header for a call made on this request's behalf."""
        return f"00-{self.trace_id}-{self.span_id}-{int(self.sampled):02x}"


current: ContextVar[TraceContext | None] = ContextVar("orders_trace_context", default=None)
"""The request being served; log lines take their ids from here."""


def fresh() -> TraceContext:
    """Return a new trace."""
    ids = f"{getrandbits(192):048x}"
    return TraceContext(ids[:32], ids[32:])


def continued(traceparent: bytes, tracestate: bytes) -> TraceContext:
    """Return the caller's trace with a span of ours; a malformed header is ignored (3.2.2)."""
    match = _TRACEPARENT.fullmatch(traceparent)
    if match is None or (traceparent[:2] == b"00" and len(traceparent) != _EXACT_LENGTH):
        return fresh()
    context = TraceContext(match[1].decode(), f"{getrandbits(64) or 1:016x}")
    context.parent_id = match[2].decode()
    context.parent_sampled = bool(int(match[3], 16) & 1)
    context.tracestate = tracestate.decode("latin-1")
    return context
