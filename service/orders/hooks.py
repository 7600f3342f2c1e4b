"""A team's own functions around every request: before it, after its answer, and of its failure.

`ORDERS_PLUGINS` names functions that get a `Hooks` when the service starts, and add to it:

    def install(hooks: Hooks) -> None:
        hooks.before(refuse_at_night)

They hold for every request that is logged, whichever way it is answered, so not for probes. They
run in the loop's thread: one that waits keeps all others waiting. Without any, requests do not
even ask for them.
"""

import logging
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, Protocol

from msgspec import Struct, field

Headers = list[tuple[str, str]]

log = logging.getLogger("orders.hooks")


class _Context(Protocol):
    trace_id: str
    subject: str
    headers: Mapping[str, str]


class Request(Struct):
    """What a hook is told of a request. `notes` is for hooks to tell each other of it.

    `route` is the endpoint's path, such as `/orders/{id}`, or `unmatched`.
    """

    method: str
    path: str
    route: str
    context: _Context
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, by names in lower case."""
        return self.context.headers

    @property
    def caller(self) -> str:
        """Who calls; empty where nobody has to say it."""
        return self.context.subject

    @property
    def trace_id(self) -> str:
        """Under which logs and traces have the request."""
        return self.context.trace_id


Before = Callable[[Request], None]
After = Callable[[Request, int, Headers], None]
Failed = Callable[[Request, Exception], None]
Plugin = Callable[["Hooks"], None]

_BROKEN: Final = "a hook failed"


class Hooks:
    """The functions, in the order in which they were added."""

    def __init__(self) -> None:
        """Have none."""
        self._before: list[Before] = []
        self._after: list[After] = []
        self._failed: list[Failed] = []

    def before(self, function: Before) -> Before:
        """Have a function called once a caller is let in, before anything is done.

        A problem that it raises is the answer; another exception is a defect, and answered so.
        """
        self._before.append(function)
        return function

    def after(self, function: After) -> After:
        """Have a function called with an answer's status and headers, to which it may add.

        What it raises is logged, and changes nothing.
        """
        self._after.append(function)
        return function

    def failed(self, function: Failed) -> Failed:
        """Have a function called with the problem, or the defect, that is answered; as `after`."""
        self._failed.append(function)
        return function

    def begin(self, request: Request) -> None:
        """Call what comes before; what it raises passes."""
        for function in self._before:
            function(request)

    def answer(self, request: Request, status: int, headers: Headers) -> None:
        """Call what comes after."""
        for function in self._after:
            _safely(function, request, status, headers)

    def fail(self, request: Request, error: Exception) -> None:
        """Call what is told of failures."""
        for function in self._failed:
            _safely(function, request, error)


def hooks_of(plugins: Iterable[Plugin]) -> Hooks | None:
    """Return what plugins add; None without any."""
    hooks = None
    for plugin in plugins:
        hooks = hooks or Hooks()
        plugin(hooks)
    return hooks


def _safely(function: Callable[..., None], *arguments: Any) -> None:
    try:
        function(*arguments)
    except Exception:
        log.exception(_BROKEN)
