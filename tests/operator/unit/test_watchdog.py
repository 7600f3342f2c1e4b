"""When liveness fails, and when it must not."""

import pytest

from orders_operator.watchdog import Watchdog

KEY = ("shop", "orders")


class Clock:
    """Time that a test sets."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock that stands."""
    return Clock()


@pytest.fixture
def watchdog(clock: Clock) -> Watchdog:
    """Return a watchdog with that clock."""
    return Watchdog(clock)


def test_a_watch_that_delivers_is_well(clock: Clock, watchdog: Watchdog) -> None:
    """What the list says was seen before, so there is no problem however long nothing changes."""
    watchdog.watched(KEY, "7")
    watchdog.listed({KEY: "7"})
    clock.now += 3600

    assert watchdog.failure() is None


def test_a_namespace_that_is_left_is_missed_no_more(clock: Clock, watchdog: Watchdog) -> None:
    """Neither what was seen there nor what was not is expected; other namespaces are."""
    watchdog.watched(KEY, "7")
    watchdog.listed({KEY: "8", ("stock", "orders"): "1"})
    watchdog.leave("shop")
    clock.now += 31

    assert "the watch is 31 s behind on stock/orders" == watchdog.failure()


def test_a_change_that_the_watch_misses_is_a_stall(clock: Clock, watchdog: Watchdog) -> None:
    """A listed version that stays unseen for more than half a minute fails liveness."""
    watchdog.watched(KEY, "7")
    watchdog.listed({KEY: "8"})
    clock.now += 30
    assert watchdog.failure() is None

    clock.now += 1
    assert "the watch is 31 s behind on shop/orders" == watchdog.failure()


def test_a_resource_that_was_never_seen_is_a_stall(clock: Clock, watchdog: Watchdog) -> None:
    """A watch that delivers nothing from the start is found out by the list."""
    watchdog.listed({KEY: "1"})
    clock.now += 31

    assert watchdog.failure() is not None


def test_a_late_event_is_well(clock: Clock, watchdog: Watchdog) -> None:
    """The version or a later one, seen in time, clears what was behind."""
    watchdog.listed({KEY: "9"})
    clock.now += 20
    watchdog.watched(KEY, "10")
    clock.now += 20

    assert watchdog.failure() is None


def test_an_older_event_does_not_clear(clock: Clock, watchdog: Watchdog) -> None:
    """A backlog that is worked off too slowly is behind as well."""
    watchdog.listed({KEY: "10"})
    watchdog.watched(KEY, "9")
    clock.now += 31

    assert watchdog.failure() is not None


def test_changes_faster_than_lists_do_not_reset_the_time(clock: Clock, watchdog: Watchdog) -> None:
    """A busy resource that is never seen stalls half a minute after it was first listed."""
    for version in ("1", "2", "3", "4"):
        watchdog.listed({KEY: version})
        clock.now += 10

    assert watchdog.failure() is not None


def test_a_deletion_must_be_seen_too(clock: Clock, watchdog: Watchdog) -> None:
    """What is no longer listed is waited for as a deletion."""
    watchdog.watched(KEY, "7")
    watchdog.listed({})
    clock.now += 31
    assert watchdog.failure() is not None

    watchdog.gone(KEY)
    assert watchdog.failure() is None


def test_a_resource_that_came_and_went_is_forgotten(clock: Clock, watchdog: Watchdog) -> None:
    """What was listed once, never seen, and deleted is not waited for."""
    watchdog.listed({KEY: "7"})
    watchdog.listed({})
    clock.now += 60

    assert watchdog.failure() is None


def test_versions_that_are_no_numbers_must_be_equal(clock: Clock, watchdog: Watchdog) -> None:
    """A server with opaque versions is judged by equality."""
    watchdog.listed({KEY: "abc"})
    watchdog.watched(KEY, "abd")
    clock.now += 31
    assert watchdog.failure() is not None

    watchdog.watched(KEY, "abc")
    assert watchdog.failure() is None


def test_a_loop_that_stands_is_a_problem(clock: Clock, watchdog: Watchdog) -> None:
    """A pulse that was felt once is expected from then on, until the loop is retired."""
    watchdog.beat("the watch's loop")
    clock.now += 31
    assert "the watch's loop has not run for 31 s" == watchdog.failure()

    watchdog.retire("the watch's loop")
    assert watchdog.failure() is None


def test_a_dead_worker_is_a_problem(watchdog: Watchdog) -> None:
    """Something that is required and not true is named."""
    watchdog.require("a worker", lambda: False)

    assert "a worker died" == watchdog.failure()
