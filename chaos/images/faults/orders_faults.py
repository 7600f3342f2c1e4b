"""Makes orders fail or be late on purpose, as `FAULTS` says; only images of the tests have this.

It wraps the order service, inside the code that measures requests: an injected failure is a 500 in
the metrics and in the access log, and an injected delay is part of the duration.

    FAULTS="error-ratio=0.05"
    FAULTS="delay=100ms,delay-ratio=0.05"
    FAULTS="crash-after=20s"
"""

import asyncio
import os
import random
import re
from typing import Any, Final

CRASHED: Final = 139
"""The exit status, that of a segmentation fault."""

_RATIO: Final = re.compile(r"[01](?:\.[0-9]+)?")
_DURATION: Final = re.compile(r"([0-9]+)(ms|s)")
_UNITS: Final = {"ms": 0.001, "s": 1.0}
_FAULTY: Final = frozenset(("create", "create_many", "get", "page"))


class InjectedError(Exception):
    """A failure that the service knows nothing of, as a defect would be."""


class Faults:
    """The faults to inject. Called with the order service, it returns that with the faults."""

    def __init__(self, text: str, values: dict[str, float]) -> None:
        """Keep the shares and seconds by name; the text is what `orders config` shows."""
        self._text = text
        self._error_ratio = values.get("error-ratio", 0.0)
        self._delay = values.get("delay", 0.0)
        self._delay_ratio = values.get("delay-ratio", 1.0)
        self._crash_after = values.get("crash-after")
        self._random = random.Random()  # noqa: S311  chance, not secrecy

    def __str__(self) -> str:
        """Return what was set."""
        return self._text

    def __call__(self, orders: Any) -> "Faulty":
        """Stand around the service's rules; a crash is counted from now."""
        if self._crash_after is not None:
            asyncio.get_running_loop().call_later(self._crash_after, _crash)
        return Faulty(orders, self)

    async def strike(self) -> None:
        """Be late, or fail, or neither."""
        if self._delay and self._random.random() < self._delay_ratio:
            await asyncio.sleep(self._delay)
        if self._random.random() < self._error_ratio:
            raise InjectedError("on purpose")


class Faulty:
    """The service's rules with faults before each."""

    def __init__(self, orders: Any, faults: Faults) -> None:
        self._orders = orders
        self._faults = faults

    def __getattr__(self, name: str) -> Any:
        """Return a method; one that answers a request with the faults before it."""
        method = getattr(self._orders, name)
        if name not in _FAULTY:
            return method

        async def faulty(*arguments: Any) -> Any:
            await self._faults.strike()
            return await method(*arguments)

        return faulty


def parse(text: str) -> Faults:
    """Parse the text to the faults that it asks for.

    Raises:
        ValueError: it has something else than the names, shares and durations above.

    """
    values: dict[str, float] = {}
    for part in text.split(","):
        name, _, value = part.strip().partition("=")
        values[name] = _PARSERS[name](value) if name in _PARSERS else _refuse(part)
    return Faults(text, values)


def _ratio(text: str) -> float:
    return float(text) if _RATIO.fullmatch(text) and float(text) <= 1 else _refuse(text)


def _seconds(text: str) -> float:
    match = _DURATION.fullmatch(text)
    return int(match[1]) * _UNITS[match[2]] if match else _refuse(text)


def _refuse(text: str) -> float:
    raise ValueError(text)


_PARSERS: Final = {
    "error-ratio": _ratio,
    "delay": _seconds,
    "delay-ratio": _ratio,
    "crash-after": _seconds,
}


def _crash() -> None:
    """End at once, with nothing finished and nothing said."""
    os._exit(CRASHED)
