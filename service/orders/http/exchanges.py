"""Wrappers around protocol objects of RSGI: what they add is on every answer."""

from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from orders.http.rsgi import Exchange, Headers, Landing

_CLOSE: Final = ("connection", "close")


class Passing:
    """A wrapper that passes everything on."""

    __slots__ = ("_protocol",)

    def __init__(self, protocol: "Exchange") -> None:
        self._protocol = protocol

    def __call__(self) -> "Landing":
        """Return the whole body."""
        return self._protocol()

    def __aiter__(self) -> Any:
        """Return the body in pieces."""
        return self._protocol.__aiter__()

    def __anext__(self) -> "Landing":
        """Return the next piece of a body that was begun."""
        return self._protocol.__anext__()

    def response_bytes(self, status: int, headers: "Headers", body: bytes) -> None:
        """Answer."""
        self._protocol.response_bytes(status, headers, body)


class Marked(Passing):
    """A wrapper whose answer gets more headers."""

    __slots__ = ("_more",)

    def __init__(self, protocol: "Exchange", more: "Headers") -> None:
        self._protocol = protocol
        self._more = more

    def response_bytes(self, status: int, headers: "Headers", body: bytes) -> None:
        """Answer."""
        self._protocol.response_bytes(status, [*headers, *self._more], body)


class Last(Passing):
    """A wrapper whose answer is the last on its connection."""

    __slots__ = ()

    def response_bytes(self, status: int, headers: "Headers", body: bytes) -> None:
        """Answer."""
        last = headers if _CLOSE in headers else [*headers, _CLOSE]
        self._protocol.response_bytes(status, last, body)
