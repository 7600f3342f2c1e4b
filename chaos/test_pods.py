"""Pods that are killed without warning."""

import time
from typing import Final

from chaos import nodes
from chaos.conftest import Try
from chaos.shop import Shop
from chaos.sizes import Size

EVERY: Final = 10.0
"""Seconds between two kills."""
LEARNT: Final = 3.0
"""Seconds after which no caller may be sent to a dead pod any more."""


def test_a_killed_pod_fails_only_what_was_sent_to_it(shop: Shop, size: Size, attempt: Try) -> None:
    """With a retry on the key every order is placed once; what failed first failed by the kills.

    Each failed try ended without an answer, on a connection to a pod that was just killed.
    """
    kills: list[float] = []
    with attempt("kill") as it, shop.load(it, retries=8) as load:
        for number in range(size.kills):
            due = time.monotonic() + EVERY
            pods = sorted(shop.pods(), key=lambda pod: pod["metadata"]["name"])
            pod = pods[number % len(pods)]
            nodes.kill(pod)
            kills.append(it.mark(f"kill -9 of pod {number % len(pods) + 1}"))
            load.go_on(max(0.0, due - time.monotonic()))
        shop.ready()
        it.mark("all pods serve")
        report = load.stop()
        it.none("requests failed for good", report.failed)
        it.none("creates whose end nobody knows", report.unknown)
        began = report.started_at.timestamp()
        tries = [*report.failures, *report.retries]
        stray = [
            failure
            for failure in tries
            if not any(-0.5 <= began + failure.at - kill <= LEARNT for kill in kills)
        ]
        connecting = sum(failure.phase == "connecting" for failure in tries)
        it.note(
            f"{report.retried} tries failed and were followed by another; of the first"
            f" {len(tries)} {connecting} could not connect, the others were in flight."
        )
        it.none(f"tries that failed later than {LEARNT:g} s after a kill", len(stray))
        it.none("tries that were answered with an error", sum(f.status is not None for f in tries))
