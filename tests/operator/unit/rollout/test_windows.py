"""Differences of scrapes: what the service counts is what a window says."""

import re
from math import inf

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from orders.telemetry.metrics import Metrics
from orders_operator.rollout.windows import Counts, Reading, quantile, read, total

requests = st.lists(
    st.tuples(st.sampled_from([200, 201, 404, 500, 503]), st.floats(0.0001, 20)), max_size=30
)


def scrape(metrics: Metrics) -> Counts:
    """Return what a scrape of the service says."""
    return read(metrics.expose("text/plain; version=0.0.4")[1].decode()).counts


def served(metrics: Metrics, found: list[tuple[int, float]]) -> None:
    """Have the service count requests."""
    for status, seconds in found:
        metrics.request("GET", "/orders/{id}", status, None, seconds, None)


@given(requests, requests)
def test_a_window_has_what_was_served_in_it(
    before: list[tuple[int, float]], during: list[tuple[int, float]]
) -> None:
    """Requests, 5xx, and the durations of all others; nothing of what came before."""
    metrics = Metrics()
    try:
        served(metrics, before)
        earlier = scrape(metrics)
        served(metrics, during)
        added = scrape(metrics).since(earlier)
    finally:
        metrics.close()

    assert added is not None
    errors = sum(status >= 500 for status, _ in during)
    assert (len(during), errors) == (added.requests, added.errors)
    assert len(during) - errors == added.buckets.get(inf, 0)


@given(requests, requests)
def test_a_process_that_began_anew_is_no_window(
    before: list[tuple[int, float]], after: list[tuple[int, float]]
) -> None:
    """Where something is less than it was, nothing can be said."""
    old, new = Metrics(), Metrics()
    try:
        served(old, [*before, *after, (200, 0.1)])
        served(new, after)
        assert scrape(new).since(scrape(old)) is None
    finally:
        old.close()
        new.close()


@given(st.lists(requests, max_size=4))
def test_pods_add_up(pods: list[list[tuple[int, float]]]) -> None:
    """Several pods are as one that served all."""
    one, each = Metrics(), [Metrics() for _ in pods]
    try:
        for metrics, found in zip(each, pods, strict=True):
            served(metrics, found)
            served(one, found)
        assert scrape(one) == total(scrape(it) for it in each)
    finally:
        for metrics in (one, *each):
            metrics.close()


@given(st.lists(st.floats(0.0005, 9), min_size=1, max_size=50))
def test_p99_lies_in_the_bucket_of_the_true_one(durations: list[float]) -> None:
    """No estimate is further off than the bucket is wide."""
    metrics = Metrics()
    try:
        served(metrics, [(200, it) for it in durations])
        found = scrape(metrics)
    finally:
        metrics.close()
    rank = 0.99 * len(durations)
    true = next(it for n, it in enumerate(sorted(durations), 1) if n >= rank)
    bounds = [0.0, *sorted(found.buckets)]
    upper = next(it for it in bounds if true <= it)
    lower = max(it for it in bounds if it < upper)
    assert found.p99 is not None
    assert lower <= found.p99 <= upper


@pytest.mark.parametrize(
    ("buckets", "expected"),
    [
        ({}, None),
        ({0.1: 0, inf: 0}, None),
        ({0.1: 100, inf: 100}, 0.099),
        ({0.1: 0, 0.2: 100, inf: 100}, 0.199),
        ({0.1: 98, 0.2: 98, 0.4: 100, inf: 100}, 0.3),
        ({0.1: 99, inf: 100}, 0.1),
        ({0.1: 98, inf: 100}, inf),
        ({inf: 100}, inf),
    ],
)
def test_a_quantile_is_that_of_prometheus(
    buckets: dict[float, float], expected: float | None
) -> None:
    """Linear inside a bucket, none without requests; but beyond the last bound it is infinite."""
    assert expected == pytest.approx(quantile(0.99, buckets))


def test_what_is_no_exposition_is_refused() -> None:
    """It is not taken for a pod without requests."""
    with pytest.raises(ValueError, match="float"):
        read("http_server_request_duration_seconds_count{ x\n")


_PARTS = (
    "# TYPE ", "# HELP ", " histogram", "\n", "{", "}", "le=", '"', "\\", "+Inf", "NaN", "1", " ",
    "_bucket", "_count", ",", "=", "#", "1e400", '{le="1"} ', "# EOF",
    "http_server_request_duration_seconds", "process_start_time_seconds",
)  # fmt: skip


@example(["{le=, ==+Inf# EOF# TYPE  =1e400", '"NaN'])
@given(st.lists(st.one_of(st.sampled_from(_PARTS), st.text(max_size=3)), max_size=12))
def test_whatever_a_pod_shows_is_a_reading_or_refused(parts: list[str]) -> None:
    """A pod that shows anything else ends no pass."""
    try:
        found = read("".join(parts))
    except ValueError:
        return
    assert found.counts.requests >= found.counts.errors >= 0


_NAME = "http_server_request_duration_seconds"


@pytest.mark.parametrize(
    ("exposition", "said"),
    [
        ("", f"its metrics contain no {_NAME}"),
        ("# TYPE other gauge\nother 1\n", f"its metrics contain no {_NAME}"),
        (f'# TYPE {_NAME} histogram\n{_NAME}_bucket{{le="+Inf"}} NaN\n', f"{_NAME}_bucket is nan"),
        (f"# TYPE {_NAME} histogram\n{_NAME}_count +Inf\n", f"{_NAME}_count is inf"),
        (f"# TYPE {_NAME} histogram\n{_NAME}_count -1\n", f"{_NAME}_count is -1"),
        (f'# TYPE {_NAME} histogram\n{_NAME}_bucket{{le="NaN"}} 1\n', "has the bound 'NaN'"),
        (f"# TYPE {_NAME} histogram\n{_NAME}_bucket{{}} 1\n", "has the bound None"),
        (
            f'# TYPE {_NAME} histogram\n{_NAME}_bucket{{le="1"}} 2\n{_NAME}_count 2\n',
            f"{_NAME} does not add up: 2 requests",
        ),
    ],
)
def test_what_is_no_reading_is_refused(exposition: str, said: str) -> None:
    """An empty scrape, a number that is none, a histogram that lacks its last bucket."""
    with pytest.raises(ValueError, match=re.escape(said)):
        read(exposition)


def test_a_process_without_requests_is_a_reading() -> None:
    """The service names its metrics before it has anything to count."""
    metrics = Metrics()
    try:
        assert Counts() == scrape(metrics)
    finally:
        metrics.close()


@given(requests, requests)
def test_another_process_is_no_window(
    before: list[tuple[int, float]], during: list[tuple[int, float]]
) -> None:
    """Also where it has counted more than the one before it: it says when it began."""
    metrics = Metrics()
    try:
        served(metrics, before)
        earlier = Reading(scrape(metrics), process=1.0)
        served(metrics, during)
        later = Reading(scrape(metrics), process=2.0)
    finally:
        metrics.close()
    assert later.since(earlier) is None
    assert Reading(later.counts, 1.0).since(earlier) is not None
