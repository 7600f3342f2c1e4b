"""A team's own functions around every request: before it, after its answer, and on its failure.

`ORDERS_PLUGINS` names functions that get a `Hooks` when the service starts, and add to it:

    def install(hooks: Hooks) -> None:
        hooks.before(refuse_at_night)

They run for every request that is logged, whichever way it is answered, so not for probes. They
run in the loop's thread: a hook that blocks delays every other request. Without hooks, a request
does no work for them.
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
    """A request as a hook sees it. Hooks pass data to each other in `notes`.

    `route` is the endpoint's path, such as `/orders/{id}`, or `unmatched`.
    """

    method: str
    path: str
    route: str
    context: _Context
    notes: dict[str, Any] = field(default_factory=dict)

    @property
    def headers(self) -> Mapping[str, str]:
        """The headers, by their names in lower case."""
        return self.context.headers

    @property
    def caller(self) -> str:
        """The authenticated caller; empty without authentication."""
        return self.context.subject

    @property
    def trace_id(self) -> str:
        """The trace id that logs and traces have for the request."""
        return self.context.trace_id


Before = Callable[[Request], None]
After = Callable[[Request, int, Headers], None]
Failed = Callable[[Request, Exception], None]
Plugin = Callable[["Hooks"], None]

_BROKEN: Final = "a hook failed"


class Hooks:
    """The functions, in the order in which they were added."""

    def __init__(self) -> None:
        self._before: list[Before] = []
        self._after: list[After] = []
        self._failed: list[Failed] = []

    def before(self, function: Before) -> Before:
        """Register a function to call once a caller is let in, before anything is done.

        A problem that it raises is the answer; any other exception is answered as a defect.
        """
        self._before.append(function)
        return function

    def after(self, function: After) -> After:
        """Register a function to call with an answer's status and headers, to which it may add.

        An exception that it raises is logged, and changes nothing.
        """
        self._after.append(function)
        return function

    def failed(self, function: Failed) -> Failed:
        """Register a function to call with the problem or the defect of an answer; as `after`."""
        self._failed.append(function)
        return function

    def begin(self, request: Request) -> None:
        """Call the functions of `before`; their exceptions propagate."""
        for function in self._before:
            function(request)

    def answer(self, request: Request, status: int, headers: Headers) -> None:
        """Call the functions of `after`."""
        for function in self._after:
            _safely(function, request, status, headers)

    def fail(self, request: Request, error: Exception) -> None:
        """Call the functions of `failed`."""
        for function in self._failed:
            _safely(function, request, error)


def hooks_of(plugins: Iterable[Plugin]) -> Hooks | None:
    """Return the hooks that plugins add; None without plugins."""
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
