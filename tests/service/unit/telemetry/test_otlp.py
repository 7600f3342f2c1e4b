"""What is written here field by field is what the library's encoder would have written."""

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.util.instrumentation import InstrumentationScope

from orders.telemetry.otlp import Encoder
from orders.telemetry.readable import Readable
from orders.telemetry.spans import Span

RESOURCE = Resource({"service.name": "tea", "replicas": 3, "zones": ("a", "b")}, "https://a.test")
SCOPE = InstrumentationScope("orders", "1.0", "https://b.test")
VALUES = st.one_of(st.text(), st.integers(-(1 << 63), (1 << 63) - 1), st.booleans())
ATTRIBUTES = st.dictionaries(
    st.one_of(st.text(), st.sampled_from(("url.path", "http.route"))), VALUES
)
TIMES = st.integers(0, (1 << 64) - 1)
STATES = st.one_of(
    st.sampled_from(("", "a=b", "a=b, c@d=e;f", "a=1,a=2", ",", "=")),
    st.text(string.printable, max_size=20),
)


def identifiers(digits: int) -> st.SearchStrategy[str]:
    """Return ids of so many hexadecimal digits; none is all zeros."""
    return st.integers(1, (1 << 4 * digits) - 1).map(lambda number: f"{number:0{digits}x}")


SPANS = st.builds(
    Span,
    name=st.text(),
    kind=st.sampled_from(("server", "client")),
    trace_id=identifiers(32),
    span_id=identifiers(16),
    parent_id=st.none() | identifiers(16),
    tracestate=STATES,
    start=TIMES,
    end=TIMES,
    attributes=ATTRIBUTES,
    links=st.lists(st.tuples(identifiers(32), identifiers(16))),
    failed=st.booleans(),
)


def span(**attributes: str | int) -> Span:
    """Return a span with these attributes."""
    return Span("GET", "server", "1" * 32, "2" * 16, None, "", 1, 2, attributes, (), failed=False)


def decoded(*spans: Span) -> ExportTraceServiceRequest:
    """Write spans, and have the library read them."""
    read: ExportTraceServiceRequest = ExportTraceServiceRequest.FromString(
        Encoder(RESOURCE, SCOPE)(spans)
    )
    return read


@given(st.lists(SPANS, min_size=1, max_size=5))
def test_the_library_would_have_written_the_same(spans: list[Span]) -> None:
    """Whatever a span has, its message is that of the SDK's exporter."""
    readable = Readable(RESOURCE, SCOPE)

    assert encode_spans([readable(span) for span in spans]) == decoded(*spans)


@pytest.mark.parametrize("size", [0, 1, 127, 128, 129, 16_383, 16_384, 200_000])
def test_lengths_of_any_size_are_written(size: int) -> None:
    """A length takes as many bytes as it needs, of a text and of all around it."""
    long = span(text="é" * size)

    assert encode_spans([Readable(RESOURCE, SCOPE)(long)]) == decoded(long)


def test_equal_values_of_different_types_are_told_apart() -> None:
    """1 is not taken for true because it was written before, nor the other way."""
    found = decoded(span(a=1), span(a=True), span(a="1"), span(a=1))
    [group] = found.resource_spans
    values = [it.attributes[0].value for it in group.scope_spans[0].spans]

    kinds = [value.WhichOneof("value") for value in values]
    assert ["int_value", "bool_value", "string_value", "int_value"] == kinds


def test_what_is_no_unicode_is_replaced() -> None:
    """A text that no encoding takes costs its characters, not the span."""
    [group] = decoded(span(**{"url.path": "/\udcff/é"})).resource_spans
    [within] = group.scope_spans

    assert "/?/é" == within.spans[0].attributes[0].value.string_value
