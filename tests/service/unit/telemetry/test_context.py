"""W3C Trace Context: what is continued, and what is ignored (https://www.w3.org/TR/trace-context)."""

import re

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from orders.telemetry.context import TraceContext, continued, fresh

HEX = "0123456789abcdef"
TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"

trace_ids = st.text(HEX, min_size=32, max_size=32).filter(lambda found: set(found) != {"0"})
span_ids = st.text(HEX, min_size=16, max_size=16).filter(lambda found: set(found) != {"0"})
flags = st.integers(0, 255)


def is_fresh(context: TraceContext) -> bool:
    """Whether the trace starts here, with ids that are well formed."""
    assert re.fullmatch(r"[0-9a-f]{32}", context.trace_id)
    assert re.fullmatch(r"[0-9a-f]{16}", context.span_id)
    return (context.parent_id, context.parent_sampled, context.tracestate) == (None, None, "")


@given(trace_ids, span_ids, flags, st.integers(0, 254))
def test_a_valid_parent_is_continued(trace_id: str, span_id: str, flag: int, version: int) -> None:
    """The trace and its parent are the caller's, the span is ours, in every version but ff."""
    context = continued(f"{version:02x}-{trace_id}-{span_id}-{flag:02x}", "a=1")

    assert (trace_id, span_id) == (context.trace_id, context.parent_id)
    assert bool(flag & 1) == context.parent_sampled
    assert "a=1" == context.tracestate
    assert span_id != context.span_id
    assert not context.sampled


def test_a_tracestate_is_kept_up_to_512_characters() -> None:
    """A longer one is left out, the trace goes on."""
    parent = f"00-{TRACE}-{PARENT}-01"

    assert "a" * 512 == continued(parent, "a" * 512).tracestate
    assert ("", TRACE) == (
        continued(parent, "a" * 513).tracestate,
        continued(parent, "a" * 513).trace_id,
    )


@given(trace_ids, span_ids, flags)
def test_our_own_header_is_continued(trace_id: str, span_id: str, flag: int) -> None:
    """What we send on names our span, and we would take it ourselves."""
    ours = continued(f"00-{trace_id}-{span_id}-{flag:02x}", "")
    next_one = continued(ours.traceparent(), "")

    assert (ours.trace_id, ours.span_id) == (next_one.trace_id, next_one.parent_id)
    assert ours.sampled == next_one.parent_sampled


@given(st.integers(1, 254), st.text(max_size=40).filter(lambda rest: "\n" not in rest))
def test_a_later_version_may_go_on(version: int, rest: str) -> None:
    """Fields that a later version adds after a dash are not ours to judge (3.2.2)."""
    context = continued(f"{version:02x}-{TRACE}-{PARENT}-01-" + rest, "")

    assert (TRACE, PARENT) == (context.trace_id, context.parent_id)


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"00-{TRACE}-{PARENT}-01-extra",
        f"00-{TRACE}-{PARENT}-01-",
        f"00-{TRACE}-{PARENT}-011",
        f"01-{TRACE}-{PARENT}-01extra",
        f"ff-{TRACE}-{PARENT}-01",
        f"0-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-1",
        f"00-{TRACE}-{PARENT}",
        f"00-{TRACE}-{PARENT}-0g",
        f"00-{TRACE.upper()}-{PARENT}-01",
        f"00-{TRACE}-{PARENT.upper()}-01",
        f"0A-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-0A",
        f"00-{'0' * 32}-{PARENT}-01",
        f"00-{TRACE}-{'0' * 16}-01",
        f"00-{TRACE[1:]}-{PARENT}-01",
        f"00-{TRACE}-{PARENT[1:]}-01",
        f"00_{TRACE}_{PARENT}_01",
        f" 00-{TRACE}-{PARENT}-01",
        f"00-{TRACE}-{PARENT}-01\n",
        f"00-{TRACE}-{PARENT}-01, 00-{TRACE}-{PARENT}-01",
    ],
)
def test_a_malformed_header_is_ignored(header: str) -> None:
    """The trace starts anew, and the state that came with the header is dropped."""
    assert is_fresh(continued(header, "a=1"))


@given(st.text(max_size=80))
def test_any_text_makes_a_trace(header: str) -> None:
    """Whatever a caller sends, there is a context."""
    assume(not header.startswith("00-" + TRACE))

    context = continued(header, "\xff")

    assert context.parent_id is not None or is_fresh(context)


@given(st.integers(0, 54), st.text(min_size=1, max_size=1))
def test_one_changed_character_never_changes_the_rest(at: int, character: str) -> None:
    """A header with one other byte is either ignored or read as exactly what it says."""
    valid = f"00-{TRACE}-{PARENT}-01"
    header = valid[:at] + character + valid[at + 1 :]
    context = continued(header, "")

    if not is_fresh(context):
        version, trace_id, parent_id, flag = header.split("-")
        assert "ff" != version
        assert (trace_id, parent_id) == (context.trace_id, context.parent_id)
        assert bool(int(flag, 16) & 1) == context.parent_sampled


def test_traces_of_our_own_differ() -> None:
    """A thousand traces have a thousand ids, none of them sampled."""
    made = [fresh() for _ in range(1000)]

    assert all(is_fresh(context) for context in made)
    assert 1000 == len({context.trace_id for context in made})
    assert 1000 == len({context.span_id for context in made})
    assert not any(context.sampled for context in made)
