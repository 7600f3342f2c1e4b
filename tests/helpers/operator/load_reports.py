"""Reports of loads, each of which is a screen."""

from datetime import timedelta

from orders_operator.load.report import Latency, Report, Second, Watched
from tests.helpers.operator.cluster_objects import NOW

NOTHING = Latency(0, 0, 0, 0, 0)


def report(
    *seconds: Second,
    ended: bool,
    late: int = 0,
    watched: dict[str, Watched] | None = None,
    **errors: int,
) -> Report:
    """Return a report of 100 requests a second, half of them reads."""
    requests, failed = sum(it.requests for it in seconds), sum(it.failed for it in seconds)
    good = requests - failed
    started = NOW - timedelta(seconds=len(seconds))
    return Report(
        started_at=started,
        ended_at=NOW if ended else None,
        url="http://127.0.0.1:8001/proxy",
        rate=100,
        requests=requests,
        succeeded=good,
        failed=failed,
        refused=sum(it.refused for it in seconds),
        retried=0,
        acknowledged=good // 2,
        unknown=0,
        late=late,
        statuses={"200": good - good // 2, "201": good // 2} if good else {},
        errors=errors,
        latency=Latency(0.0042, 0.0081, 0.0142, 0.062, good) if good else NOTHING,
        refusal_latency=NOTHING,
        seconds=list(seconds),
        failures=[],
        retries=[],
        watched=watched or {},
    )


def running() -> Report:
    """A load that goes well, in its thirteenth second."""
    seconds = [Second(at, 100, 0, 0, 0.004, 0.01 + 0.001 * (at % 5), 0.02) for at in range(12)]
    return report(*seconds, Second(12, 37, 0, 0, 0.0041, 0.0123, 0.0131), ended=False)


def failing() -> Report:
    """A load that has ended, and during which pods were killed."""
    seconds = [
        Second(0, 100, 0, 0, 0.004, 0.012, 0.02),
        Second(1, 100, 7, 3, 0.0045, 0.062, 0.071),
        Second(2, 100, 100, 0, 0, 0, 0),
    ]
    watched = {"http://orders/livez": Watched({"200": 10, "ConnectionRefusedError": 2}, 0.71)}
    return report(*seconds, ended=True, late=12, watched=watched, ConnectionResetError=104)


def waiting() -> Report:
    """A load of which nothing is known yet."""
    return report(ended=False)
