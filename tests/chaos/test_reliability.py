"""The page and the charts that are made of what disruptions came to."""

from pathlib import Path
from tempfile import TemporaryDirectory
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import astuple

from chaos import report, results
from chaos.chart import POINTS, gathered, timeline
from chaos.results import Figure, Mark, Result, Results
from orders_operator.load.report import Second
from tests.helpers.paths import ROOT

DOCS = ROOT / "docs"

latencies = st.floats(0, 100)
seconds = st.lists(
    st.builds(
        Second,
        st.integers(0, 7200),
        st.integers(0, 1000),
        st.integers(0, 1000),
        st.integers(0, 1000),
        latencies,
        latencies,
        latencies,
    )
)
marks = st.lists(st.builds(Mark, st.floats(0, 7200), st.text()), max_size=5)


@given(seconds, marks)
def test_a_chart_is_an_image_whatever_was_measured(drawn: list[Second], at: list[Mark]) -> None:
    """It can be read as XML; each mark has its number."""
    image = ET.fromstring(timeline("A <title>", drawn, at))  # noqa: S314  made here

    texts = [it.text for it in image.iter("{http://www.w3.org/2000/svg}text")]
    assert {str(number) for number in range(1, len(at) + 1)} <= set(texts)


@given(seconds)
def test_long_loads_are_drawn_with_fewer_points(drawn: list[Second]) -> None:
    """No request gets lost, and the longest latency stays."""
    found = gathered(drawn * 20)

    assert POINTS >= len(found)
    assert 20 * sum(it.requests for it in drawn) == sum(it.requests for it in found)
    assert max((it.p99 for it in drawn), default=0) == max((it.p99 for it in found), default=0)


def test_the_page_says_what_was_missed(tmp_path: Path) -> None:
    """A bound that was missed, a run that broke off and one that went well are told apart."""
    found = Results({"cores": "2"})
    second = Second(0, 10, 1, 0, 0.001, 0.01, 0.02)
    found.found = {
        "kill": Result(
            "kill", "full", "2026-01-01", figures=[Figure("lost", "1", "0", met=False)]
        ),
        "soak": Result("soak", "full", "2026-01-01", error="the cluster went away"),
        "scaling": Result(
            "scaling", "short", "2026-01-01", "10 requests a second", 10, seconds=[second]
        ),
    }
    report.write(found, tmp_path)

    page = (tmp_path / "reliability.md").read_text("utf-8")
    assert 3 == page.count("**missed**")
    assert "| lost | 1 | 0 | **missed** |" in page
    assert "It did not go to its end: the cluster went away" in page
    assert "in the short form" in page
    assert ["scaling.svg"] == [path.name for path in (tmp_path / "reliability").iterdir()]
    assert found == results.load(tmp_path / "reliability.json")


@given(st.dictionaries(st.text(), seconds, min_size=1, max_size=3))
def test_a_disruption_is_kept_in_one_line(kept: dict[str, list[Second]]) -> None:
    """What was measured comes back as it was, latencies to the microsecond."""
    found = Results(
        {"cores": "2"}, {key: Result(key, "", "", seconds=it) for key, it in kept.items()}
    )
    with TemporaryDirectory() as folder:
        file = Path(folder) / "reliability.json"
        results.save(found, file)
        again = results.load(file)
        results.save(again, file)

        assert len(kept) + 3 == file.read_bytes().count(b"\n")
        assert again == results.load(file)
    for key, seconds_ in kept.items():
        for before, after in zip(seconds_, again.found[key].seconds, strict=True):
            assert astuple(before)[:4] == astuple(after)[:4]
            assert astuple(before)[4:] == pytest.approx(astuple(after)[4:], abs=5.1e-7)


def test_the_page_is_what_its_figures_say(tmp_path: Path) -> None:
    """docs/reliability.md, its charts and its JSON are those that the report makes of the JSON."""
    report.write(results.load(DOCS / report.DATA), tmp_path)

    made = sorted(it.relative_to(tmp_path) for it in tmp_path.rglob("*.*"))
    assert [it for it in made if (DOCS / it).read_bytes() != (tmp_path / it).read_bytes()] == []
