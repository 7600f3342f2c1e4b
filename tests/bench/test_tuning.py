"""Which settings the Go peers run with."""

from bench.servers import BY_NAME
from bench.tuning import MARGIN, USUAL, VARIANTS, fastest, trials, tune
from tests.helpers.bench_results import load


def test_the_fastest_pool_is_taken_for_every_go_peer() -> None:
    """The geometric mean of creating and reading decides; others keep what they have."""
    chosen = fastest(
        [
            load(USUAL, 100.0, question="create"),
            load(USUAL, 200.0),
            load("pool of 32", 130.0, question="create"),
            load("pool of 32", 190.0),
        ]
    )

    assert "pool of 32" == chosen
    assert {"POOL_SIZE": "32"} == tune(BY_NAME["gin"], chosen).environment
    assert BY_NAME["fastapi"] == tune(BY_NAME["fastapi"], chosen)


def test_noise_changes_no_setting() -> None:
    """What is faster by less than the margin is not faster."""
    assert USUAL == fastest([load(USUAL, 100.0), load("pool of 8", 100.0 * MARGIN - 0.1)])
    assert USUAL == fastest([])


def test_settings_that_fail_requests_are_not_taken() -> None:
    """However fast they are."""
    assert USUAL == fastest([load(USUAL, 100.0), load("pool of 64", 900.0, errors=3)])


def test_every_variant_is_tried_on_the_same_peer() -> None:
    """Each names the size of its pool; one lets Go's collector run less often."""
    tried = trials()

    assert list(VARIANTS) == [server.name for server in tried]
    assert {BY_NAME["fiber"].program} == {server.program for server in tried}
    assert all("POOL_SIZE" in server.environment for server in tried)
    assert any({"GOGC", "GOMEMLIMIT"} <= server.environment.keys() for server in tried)
