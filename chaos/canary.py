"""A canary, seen from outside: how it is declared, its state, and its pods."""

from collections.abc import Callable
from typing import Any, Final

from chaos.experiment import Experiment
from chaos.shop import Shop
from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import CommandError

VERDICT: Final = 120.0
"""Seconds from the change until there is one."""
_ANALYSIS: Final = {"interval": "5s", "minRequests": 20, "failureLimit": 0}


def rollout(first: str = "5s", **analysis: Any) -> Object:
    """Return `spec.rollout` with a quick canary; `first` is the length of its first step."""
    steps = [{"weight": 25, "duration": first}, {"weight": 50, "duration": "5s"}]
    return {
        "strategy": "Canary",
        "progressDeadline": "60s",
        "bake": "5s",
        "canary": {"steps": steps, "analysis": _ANALYSIS | analysis},
    }


def canaries(shop: Shop) -> list[Object]:
    """Return the canary's pods, but for those on their way out: these take no new requests."""
    return [
        it for it in shop.pods() if it["metadata"]["labels"].get("orders.dev/track") == "canary"
    ]


def reach(shop: Shop, what: str, true: Callable[[Object], Any], seconds: float) -> Object:
    """Wait for a state; return it."""
    try:
        shop.namespace.until(lambda: true(shop.namespace.rollout(shop.name)), seconds, what)
    except CommandError as error:
        now = shop.namespace.rollout(shop.name)
        raise CommandError(f"{what} is not reached: {now}\n{error}") from None
    return shop.namespace.rollout(shop.name)


def taken_over(it: Experiment, shop: Shop, before: str, seconds: float = VERDICT) -> Object:
    """Wait until the canary is the stable revision, and all is ready; return the rollout."""

    def done(now: Object) -> bool:
        return bool(now["phase"] == "Stable" and now["stable"] != before)

    now = reach(shop, "promoted", done, seconds)
    shop.ready()
    it.mark("promoted")
    shop.drained()
    return now
