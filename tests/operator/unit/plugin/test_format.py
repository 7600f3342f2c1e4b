"""Numbers, times and names, as people read them."""

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders_operator.plugin.format import (
    milliseconds,
    percent,
    several,
    short_image,
    short_pod,
    since,
    span,
)
from tests.helpers.operator.cluster_objects import NOW


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [
        (-3, "0s"),
        (0, "0s"),
        (119, "119s"),
        (120, "2m"),
        (7199, "119m"),
        (7200, "2h"),
        (172799, "47h"),
        (172800, "2d"),
    ],
)
def test_a_span_has_one_unit(seconds: float, expected: str) -> None:
    """The smaller unit stays until there are two of the larger."""
    assert expected == span(seconds)


@given(st.integers(0, 10**9))
def test_a_span_is_short(seconds: int) -> None:
    """A column of five characters is wide enough for thirty years."""
    assert len(span(seconds)) <= 6


def test_what_nobody_knows_is_a_dash() -> None:
    """A missing stamp is no error."""
    assert "-" == since(None, NOW)
    assert "60s" == since(NOW - timedelta(minutes=1), NOW)
    assert "-" == milliseconds(None)


def test_numbers() -> None:
    """Two decimals of a share, one of a latency; thousands are apart; one is singular."""
    assert "5.15 %" == percent(62 / 1204)
    assert "1,234.6 ms" == milliseconds(1234.56)
    assert ("1 pod", "1,204 pods") == (several(1, "pod"), several(1204, "pod"))


def test_names_are_shortened_where_they_repeat_themselves() -> None:
    """A pod loses its service's name, an image its registry and most of its digest."""
    assert "canary-78b9c4d5f8-abcde" == short_pod("orders-canary-78b9c4d5f8-abcde", "orders")
    assert "other" == short_pod("other", "orders")
    digest = "0123456789abcdef" * 4
    assert "service:1@0123456" == short_image(f"r.example:5000/a/service:1@sha256:{digest}")
