"""Writes spans in OTLP: its Protocol Buffers message, field by field.

The library's encoder makes an object of each attribute, value and link, a tenth of a millisecond
for the spans of one request, and holds the interpreter's lock all the while. Most of a span
repeats earlier ones, so attributes are remembered in their written form. The numbers of fields are
those of opentelemetry/proto/trace/v1/trace.proto; a tag is a number with a wire type.
"""

from collections.abc import Iterable, Mapping
from functools import lru_cache
from struct import Struct
from typing import Final

from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.util.instrumentation import InstrumentationScope
from opentelemetry.trace import INVALID_SPAN_CONTEXT

from orders.telemetry.readable import state_of
from orders.telemetry.spans import Attributes, Kind, Span

_REMEMBERED: Final = 1024
_CHOSEN: Final = frozenset(
    ("http.request.method_original", "url.path", "url.query", "user_agent.original")
)
"""What callers choose at any length; it is not remembered."""
_ANY: Final = (1 << 64) - 1

_RESOURCE_SPANS: Final = b"\x0a"
_SCOPE_SPANS: Final = b"\x12"
_SPANS: Final = b"\x12"
_TRACE_STATE: Final = b"\x1a"
_NAME: Final = b"\x2a"
_ATTRIBUTES: Final = b"\x4a"
_TIMES: Final = Struct("<BQBQ").pack
_START: Final = 0x39
_END: Final = 0x41
_KINDS: Final[Mapping[Kind, bytes]] = {"server": b"\x30\x02", "client": b"\x30\x03"}
_FINE, _FAILED = b"\x7a\x00", b"\x7a\x02\x18\x02"
_HERE, _ELSEWHERE = b"\x85\x01\x00\x01\x00\x00", b"\x85\x01\x00\x03\x00\x00"
"""Flags: that it is known whether the parent is remote, and, of the other, that it is."""

_KEY: Final = b"\x0a"
_VALUE: Final = b"\x12"
_STRING: Final = b"\x0a"
_BOOLEAN: Final = b"\x10"
_INTEGER: Final = b"\x18"


class Encoder:
    """Writes the request of an export."""

    def __init__(self, resource: Resource, scope: InstrumentationScope) -> None:
        """Have the library write, once, whose all spans are."""
        sample = ReadableSpan(
            "", INVALID_SPAN_CONTEXT, None, resource, instrumentation_scope=scope
        )
        [group] = encode_spans([sample]).resource_spans
        [within] = group.scope_spans
        within.ClearField("spans")
        self._scope = within.SerializeToString()
        group.ClearField("scope_spans")
        self._resource = group.SerializeToString()

    def __call__(self, spans: Iterable[Span]) -> bytes:
        """Return an ExportTraceServiceRequest."""
        pieces = [self._scope]
        for span in spans:
            written = _span(span)
            pieces += (_SPANS, _varint(len(written)), written)
        head = self._resource + _SCOPE_SPANS + _varint(sum(map(len, pieces)))
        size = _varint(len(head) + sum(map(len, pieces)))
        return b"".join((_RESOURCE_SPANS, size, head, *pieces))


def _span(span: Span) -> bytes:
    # Ids have 16 bytes (0x10) or 8, a link with its flags 33 (0x21): all of that is one text.
    parent = "" if span.parent_id is None else f"2208{span.parent_id}"
    ids = bytes.fromhex(f"0a10{span.trace_id}1208{span.span_id}{parent}")
    links = "".join([f"6a210a10{trace}1208{own}3500010000" for trace, own in span.links])
    return b"".join(
        (
            ids,
            _state(span.tracestate) if span.tracestate else b"",
            _name(span.name),
            _KINDS[span.kind],
            _TIMES(_START, span.start, _END, span.end),
            _attributes(span.attributes),
            bytes.fromhex(links),
            _FAILED if span.failed else _FINE,
            _ELSEWHERE if parent and span.kind == "server" else _HERE,
        )
    )


def _state(header: str) -> bytes:
    state = state_of(header)
    text = ",".join(f"{key}={value}" for key, value in state.items()) if state else ""
    return _field(_TRACE_STATE, _text(text))


def _attributes(attributes: Attributes) -> bytes:
    return b"".join(
        [
            _attribute(key, value) if key in _CHOSEN else _remembered(key, value)
            for key, value in attributes.items()
        ]
    )


def _attribute(key: str, value: str | int) -> bytes:
    if isinstance(value, str):
        return _string(key, value)
    # A truth value is written as 0 or 1.
    number = (_BOOLEAN if isinstance(value, bool) else _INTEGER) + _varint(value & _ANY)
    return _field(_ATTRIBUTES, _key(key) + _field(_VALUE, number))


def _string(key: str, value: str) -> bytes:
    """Return an attribute that is a text: three fields in each other, and the key before it."""
    text = _text(value)
    string = _STRING + _varint(len(text)) + text
    any_value = _VALUE + _varint(len(string)) + string
    pair = _key(key) + any_value
    return _ATTRIBUTES + _varint(len(pair)) + pair


def _text(text: str) -> bytes:
    """Return UTF-8; what came in as something else is replaced."""
    return text.encode("utf-8", "replace")


def _field(tag: bytes, content: bytes) -> bytes:
    return tag + _varint(len(content)) + content


@lru_cache(_REMEMBERED)
def _key(key: str) -> bytes:
    return _field(_KEY, _text(key))


@lru_cache(_REMEMBERED)
def _name(name: str) -> bytes:
    return _field(_NAME, _text(name))


@lru_cache(_REMEMBERED)
def _varint(number: int) -> bytes:
    """Return seven bits a byte, the lowest first; the eighth says that more follow."""
    written = bytearray()
    while number > 0x7F:  # noqa: PLR2004  seven bits
        written.append(number & 0x7F | 0x80)
        number >>= 7
    written.append(number)
    return bytes(written)


_remembered: Final = lru_cache(_REMEMBERED, typed=True)(_attribute)
