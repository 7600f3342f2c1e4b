"""Sizes of batches, out of the metrics of several processes."""

from bench.batches import Batches


def metrics(operation: str, *counts: tuple[str, int], total: int) -> str:
    """Write a histogram as the service does; counts are cumulative."""
    name = "orders_batch_size"
    buckets = [
        f'{name}_bucket{{le="{bound}",operation="{operation}"}} {count}.0\n'
        for bound, count in counts
    ]
    return (
        f"# HELP {name} Calls in a batch\n# TYPE {name} histogram\n"
        f"{''.join(buckets)}"
        f'{name}_count{{operation="{operation}"}} {counts[-1][1]}.0\n'
        f'{name}_sum{{operation="{operation}"}} {total}.0\n'
    )


def test_processes_are_added_up() -> None:
    """The mean and the quantiles are those of all batches together."""
    one = metrics("insert", ("1.0", 1), ("8.0", 2), ("+Inf", 2), total=9)
    two = metrics("insert", ("1.0", 0), ("8.0", 8), ("+Inf", 8), total=41)
    found = Batches([one, two], "insert")

    assert 5.0 == found.mean
    assert 1.0 == found.quantile(0.1)
    assert 8.0 == found.quantile(0.5)


def test_only_the_operation_that_is_asked_for_counts() -> None:
    """Reads say nothing of creates; without a batch there is no size."""
    found = Batches([metrics("select", ("1.0", 5), ("+Inf", 5), total=5)], "insert")

    assert 0.0 == found.mean
    assert found.quantile(0.5) is None


def test_a_batch_beyond_every_bucket_has_no_bound() -> None:
    """What is only in the bucket without a bound has none to give."""
    found = Batches([metrics("insert", ("1.0", 0), ("+Inf", 3), total=6000)], "insert")

    assert found.quantile(0.9) is None
