"""Steps are measured against the revision before them, and kept."""

from hypothesis import given
from hypothesis import strategies as st

from bench.history import Step, lines, merge, steps
from bench.revision import Revision
from tests.helpers.bench_results import load, results

REVISIONS = [Revision("aaa", "Begin"), Revision("bbb", "Wait less"), Revision("ccc", "Copy less")]

names = st.sampled_from(["aaa", "bbb", "ccc", "ddd"])
kept_steps = st.lists(
    st.builds(Step, names, names, st.text(), st.just("2026-11-27"), st.just([])),
    unique_by=lambda step: (step.revision, step.against),
)


def test_each_revision_is_compared_with_the_one_before() -> None:
    """Throughput is a ratio of the same rounds; CPU and latency are before and after."""
    found = steps(
        results(
            load("aaa", 100.0),
            load("bbb", 150.0, server_us=20.0, p99_ms=1.5),
            load("ccc", 300.0, server_us=10.0),
            date="2026-11-27",
        ),
        REVISIONS,
    )

    assert [("bbb", "aaa", "Wait less"), ("ccc", "bbb", "Copy less")] == [
        (step.revision, step.against, step.title) for step in found
    ]
    [first], [second] = found[0].cells, found[1].cells
    assert (1.5, (40.0, 30.0), (2.0, 1.5)) == (first.throughput, first.cpu_us, first.p99_ms)
    assert 2.0 == second.throughput
    assert (
        "| Wait less | bbb | aaa | 2026-11-27 | 1.50 | 40.0, 30.0 | 1.00, 1.00 | 2.00, 1.50 |"
        in (list(lines(found)))
    )


def test_a_case_that_is_void_is_left_out() -> None:
    """The step stays, with the cases that could be compared."""
    found = steps(
        results(load("aaa"), load("bbb", errors=1), load("aaa", connections=1)), REVISIONS[:2]
    )

    assert [[]] == [step.cells for step in found]


@given(kept_steps, kept_steps)
def test_a_step_that_was_kept_stays_until_it_is_measured_again(
    kept: list[Step], new: list[Step]
) -> None:
    """Every step is there once, new ones in the place of their like, and the order stays."""

    def key(step: Step) -> tuple[str, str]:
        return step.revision, step.against

    merged = merge(kept, new)

    assert [key(step) for step in kept] == [key(step) for step in merged[: len(kept)]]
    assert {key(step) for step in (*kept, *new)} == {key(step) for step in merged}
    assert len(merged) == len({key(step) for step in merged})
    assert all(step in merged for step in new)
