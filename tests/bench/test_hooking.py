"""The service with hooks that do nothing."""

from types import SimpleNamespace
from typing import Any

from bench.hooking import HOOKED, hooked
from bench.servers import BY_NAME
from orders.config import Config
from orders.hooks import Request, hooks_of


def test_the_service_takes_the_hooks() -> None:
    """One of each kind, by the variable that its process gets; they change nothing."""
    server = hooked(BY_NAME["orders"])
    config = Config.from_env({"DATABASE_URL": "postgresql://db/orders", **server.environment})
    hooks = hooks_of(config.plugins or ())
    context: Any = SimpleNamespace(trace_id="", subject="", headers={})
    request = Request("GET", "/orders", "/orders", context)
    headers: list[tuple[str, str]] = []

    assert hooks is not None
    assert [1, 1, 1] == [len(each) for each in vars(hooks).values()]
    hooks.begin(request)
    hooks.fail(request, ValueError())
    hooks.answer(request, 200, headers)
    assert ([], {}) == (headers, request.notes)


def test_they_are_measured_beside_the_service_without() -> None:
    """The same program under another name."""
    ours = BY_NAME["orders"]
    server = hooked(ours)

    assert (HOOKED, ours.command()) == (server.name, server.command())
