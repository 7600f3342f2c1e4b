"""Sampling without the SDK decides as the SDK does."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry import trace
from opentelemetry.context import Context
from opentelemetry.sdk.trace import sampling as sdk

from orders.telemetry.sampling import sampler

RATIOS = st.floats(0, 1, allow_nan=False)
TRACE_IDS = st.integers(1, (1 << 128) - 1)


def sampled_by_sdk(chosen: sdk.Sampler, trace_id: int, parent: bool | None) -> bool:  # noqa: FBT001
    """Ask the SDK."""
    context = Context()
    if parent is not None:
        flags = trace.TraceFlags(trace.TraceFlags.SAMPLED if parent else 0)
        span = trace.SpanContext(trace_id, 1, is_remote=True, trace_flags=flags)
        context = trace.set_span_in_context(trace.NonRecordingSpan(span), context)
    found = chosen.should_sample(context, trace_id, "POST /orders")
    return found.decision is sdk.Decision.RECORD_AND_SAMPLE


def sampled(name: str, trace_id: int, parent: bool | None, ratio: float = 0.5) -> bool:  # noqa: FBT001
    """Ask the service."""
    return sampler(name, ratio)(f"{trace_id:032x}", parent)


@given(TRACE_IDS, RATIOS, st.sampled_from((None, True, False)))
def test_a_ratio_is_that_of_the_sdk(trace_id: int, ratio: float, parent: bool | None) -> None:  # noqa: FBT001
    """The two samplers of a ratio decide as the SDK's, with and without a parent."""
    by_id = sdk.TraceIdRatioBased(ratio)

    assert sampled_by_sdk(by_id, trace_id, parent) == sampled(
        "traceidratio", trace_id, parent, ratio
    )
    assert sampled_by_sdk(sdk.ParentBased(by_id), trace_id, parent) == sampled(
        "parentbased_traceidratio", trace_id, parent, ratio
    )


@pytest.mark.parametrize(
    ("name", "chosen"),
    [
        ("always_on", sdk.ALWAYS_ON),
        ("always_off", sdk.ALWAYS_OFF),
        ("parentbased_always_on", sdk.DEFAULT_ON),
        ("parentbased_always_off", sdk.DEFAULT_OFF),
    ],
)
@pytest.mark.parametrize("parent", [None, True, False])
def test_the_constant_samplers_are_those_of_the_sdk(
    name: str,
    chosen: sdk.Sampler,
    parent: bool | None,  # noqa: FBT001
) -> None:
    """Always and never decide as the SDK's, and follow a parent where the SDK does."""
    for trace_id in (1, 1 << 63, (1 << 128) - 1):
        assert sampled_by_sdk(chosen, trace_id, parent) == sampled(name, trace_id, parent)
