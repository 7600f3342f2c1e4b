#!/usr/bin/python3.13
"""The operator with another time-out of every probe; only an image of the tests has this.

It stands where the operator's command is in the image. An operator that has no such functions ends
at once, so that a test with it cannot pass for nothing.
"""

import sys
from collections.abc import Callable
from typing import Any, Final

from orders_operator.cli import main
from orders_operator.resources import pod, postgres

TIMEOUT: Final = 7
"""Seconds, of probes of the service and of its embedded database."""

_PROBE: Final = "_probe"


def patch() -> None:
    """Have pods rendered otherwise from now on."""
    for module in (pod, postgres):
        setattr(module, _PROBE, _otherwise(getattr(module, _PROBE)))


def _otherwise(probe: Callable[..., dict[str, Any]]) -> Callable[..., dict[str, Any]]:
    def other(*arguments: Any, **settings: Any) -> dict[str, Any]:
        return {**probe(*arguments, **settings), "timeoutSeconds": TIMEOUT}

    return other


if __name__ == "__main__":
    patch()
    sys.exit(main())
