"""The ids of the current reconcile, sampled or not, so that its log lines can be found."""

from contextvars import ContextVar
from random import getrandbits

from msgspec import Struct


class TraceContext(Struct, frozen=True):
    """Ids in the form of W3C Trace Context, and the resource that is reconciled."""

    trace_id: str
    span_id: str
    namespace: str = ""
    name: str = ""


current: ContextVar[TraceContext | None] = ContextVar("orders_operator_trace", default=None)
"""The current reconcile; log lines take their ids from here."""


def fresh(namespace: str, name: str) -> TraceContext:
    """Return a context with new random ids."""
    ids = f"{getrandbits(192) | 1 << 191:048x}"
    return TraceContext(ids[:32], ids[32:], namespace, name)
