"""The chart of throughput over connections."""

from itertools import pairwise
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from bench.chart import ROW, Line, apart, ceiling, lines

SVG = "{http://www.w3.org/2000/svg}"
speeds = st.floats(0, 1e6)
drawn_lines = st.lists(
    st.builds(
        Line,
        st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"])),
        st.dictionaries(st.sampled_from([1, 64, 256, 512]), speeds, min_size=1),
    ),
    min_size=1,
    max_size=9,
)


@given(drawn_lines)
def test_a_chart_is_an_image_whatever_was_measured(drawn: list[Line]) -> None:
    """It can be read as XML, with a line for each server, and a point for each of its values."""
    image = ET.fromstring(lines("A <title>", drawn, drawn[0].label))  # noqa: S314  made here

    points = [len(it.get("points", "").split()) for it in image.iter(f"{SVG}polyline")]
    assert [len(line.values) for line in drawn] == points


def test_a_server_without_figures_is_not_drawn() -> None:
    """Nor does an empty chart fail."""
    assert "polyline class" not in lines("Read", [Line("Gin", {})], "this service")


@given(speeds)
def test_the_axis_ends_above_every_value(most: float) -> None:
    """And at a number that quarters well, at most two and a half times as high."""
    end = ceiling(most)

    assert most <= end
    assert end <= max(2.5 * most, 1.0)


@given(st.lists(st.floats(0, 300), max_size=9))
def test_names_do_not_cover_one_another(places: list[float]) -> None:
    """They keep their order and move down only as far as they must."""
    moved = apart(places)

    assert all(after - before >= ROW - 1e-6 for before, after in pairwise(sorted(moved)))
    assert all(new >= old for old, new in zip(places, moved, strict=True))
