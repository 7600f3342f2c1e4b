"""Spans and when they began, as a request and its batch are compared by that."""

from time import perf_counter, time_ns

import pytest

from orders.telemetry.context import fresh
from orders.telemetry.spans import Span, Spans

SECOND = 1_000_000_000


@pytest.fixture
def made() -> list[Span]:
    """Make the spans of a request and its batch, five seconds after they began."""
    spans: list[Span] = []
    maker = Spans(spans.append, lambda: None)
    started, context = perf_counter() - 5, fresh()
    maker.server(context, "GET /orders", {}, started, 0.25, failed=False)
    maker.batch("SELECT orders", {}, {}, [context], started + 0.1, 0.1, failed=False)
    return spans


def test_a_span_that_is_made_late_began_when_it_did(made: list[Span]) -> None:
    """However long the process stood still since then."""
    now = time_ns()

    assert [5, 5, 5] == [round((now - span.start) / SECOND) for span in made]
    assert [250, 100, 100] == [round((span.end - span.start) * 1e3 / SECOND) for span in made]


def test_a_batch_is_within_its_request(made: list[Span]) -> None:
    """It begins after it, and ends before it."""
    request, batch, within = made

    assert request.start < batch.start
    assert max(batch.end, within.end) < request.end
