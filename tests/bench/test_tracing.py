"""The service with traces, and what takes its spans."""

from urllib.request import Request, urlopen

from bench.servers import BY_NAME
from bench.tracing import RATIO, TRACED, receiving, traced


def test_spans_are_taken() -> None:
    """Whatever an exporter sends is answered with 200."""
    with receiving() as url, urlopen(Request(url, b"spans")) as answer:  # noqa: S310  made here
        assert 200 == answer.status


def test_a_share_of_the_requests_is_sampled() -> None:
    """The same program under another name, with its exporter on."""
    ours = BY_NAME["orders"]
    found = traced(ours, "http://127.0.0.1:4318/v1/traces")

    assert (TRACED, ours.command()) == (found.name, found.command())
    assert str(RATIO) == found.environment["OTEL_TRACES_SAMPLER_ARG"]
    assert "traceidratio" == found.environment["OTEL_TRACES_SAMPLER"]
