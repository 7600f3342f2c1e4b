"""Measures what hooks cost: this service with one of each kind that does nothing, and without.

The service imports this module for `install`, so it imports next to nothing itself.
"""

from typing import TYPE_CHECKING, Final

from msgspec import structs

if TYPE_CHECKING:
    from bench.servers import Server
    from orders.hooks import Headers, Hooks, Request

HOOKED: Final = "orders-hooked"


def install(hooks: "Hooks") -> None:
    """Add the hooks."""

    @hooks.before
    def before(_: "Request") -> None:
        pass

    @hooks.after
    def after(_: "Request", _status: int, _headers: "Headers") -> None:
        pass

    @hooks.failed
    def failed(_: "Request", _error: Exception) -> None:
        pass


def hooked(server: "Server") -> "Server":
    """Return the same service with the hooks."""
    return structs.replace(
        server,
        name=HOOKED,
        title=f"{server.title}, hooks that do nothing",
        environment={"ORDERS_PLUGINS": f"{__name__}:{install.__name__}"},
    )
