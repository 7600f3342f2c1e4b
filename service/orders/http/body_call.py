"""A call with a body: it is read without a task, and within bounds.

A request that a call does not take goes on to the cold application with what was read of its body,
so that every error of validation is written once.
"""

from typing import TYPE_CHECKING, Any

from orders.errors import Problem, RequestTimeout
from orders.http.budget import Held
from orders.http.call import Call
from orders.http.chunks import Chunks, TooLong
from orders.http.endpoint import BODY_LIMIT

if TYPE_CHECKING:
    from orders.http.rsgi import Landing, Scope


class BodyCall(Call):
    """A call that goes on once its body is there."""

    limit = BODY_LIMIT
    """Bytes that the body may have."""

    def receive(self, scope: "Scope", length: int | None) -> None:
        """Read the body, and go on in the loop; from any thread.

        Args:
            scope: of the request, for the cold application.
            length: bytes of the body, if they are known.

        """
        self._scope = scope
        self._length = length
        stream = self._stream = self._protocol.__aiter__()
        body: Landing
        if length is not None:
            body = stream.__anext__()  # nearly always all of it
        else:
            body = Chunks(stream, self.limit, Held(self._shared.budget))
        self._body = body
        self._shared.bodies.expect(self, self._started)
        body.add_done_callback(self._arrived)

    def _arrived(self, body: Any) -> None:
        bodies = self._shared.bodies
        if not bodies.came(self):
            return  # it was late
        del self._body  # else it would be a cycle that nobody collects
        try:
            sent: bytes = body.result()
        except TooLong as long:
            self._go_cold(long.sent, whole=False)
        except Problem as refused:
            self._protocol = self._shared.bridge.unread(self._scope, self._protocol, begun=True)
            Call.refuse(self, refused)
        except Exception as error:  # noqa: BLE001  the caller left, or its body is broken
            # The body keeps the error, its traceback this frame, and that the body: a cycle.
            error.__traceback__ = None
            self._go_cold(None)
        else:
            length = self._length
            if length is None or len(sent) == length:
                self._go(sent)
            elif not sent:
                self._go_cold(None)
            else:
                self._read_on(sent, length)

    def _read_on(self, sent: bytes, length: int) -> None:
        """Read the rest of a body whose first piece was not the whole."""
        held = Held(self._shared.budget)
        rest = Chunks(self._stream, self.limit, held, length=length, sent=sent)
        self._length = None  # `rest` checks it
        self._body = rest
        self._shared.bodies.expect(self, self._started)
        rest.add_done_callback(self._arrived)

    def _go(self, sent: bytes) -> None:
        """Go on with the whole body."""
        raise NotImplementedError

    def _go_cold(self, sent: bytes | None, *, whole: bool = True) -> None:
        shared = self._shared
        shared.bridge.start(self._scope, self._protocol, self._started, sent, whole=whole)

    def late(self, problem: RequestTimeout) -> None:
        """Answer that the body did not arrive in time."""
        self._body.cancel()
        del self._body, self._stream
        Call.refuse(self, problem)
