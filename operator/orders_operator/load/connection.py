"""One HTTP/1.1 connection that never sends a request twice.

HTTP clients send a request again by themselves when a kept-alive connection turns out to be
closed. Here that is a failure, and the report says exactly on which connection it happened, and
how far the request had come.
"""

import asyncio
import errno
import select
from typing import Final, Literal, NamedTuple

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

Phase = Literal["connecting", "sent", "answering"]
"""How far a try came: not sent, sent without a byte of an answer, or within the answer."""

_FIRST_FINAL_STATUS: Final = 200
_CLOSE_SECONDS: Final = 1.0
_SOME_TIME: Final = 1.0


class Answer(NamedTuple):
    """An answer; `retry_after` is in seconds, 1 if it was a date."""

    status: int
    body: bytes
    retry_after: float | None
    reused: bool


class NoAnswer(Exception):
    """A try ended without an answer; `what` is the name of its error."""

    def __init__(self, what: str, phase: Phase, *, reused: bool) -> None:
        super().__init__(f"{what} ({phase})")
        self.what = what
        self.phase = phase
        self.reused = reused


class Connection(asyncio.Protocol):
    """Carries one request at a time."""

    def __init__(self) -> None:
        """Prepare a protocol for `create_connection`."""
        self.requests = 0
        """How many requests it has carried."""
        self.idle_since = 0.0
        """When it became idle, on the loop's clock; the pool sets it."""
        self._parser = HttpResponseParser(self)
        self._poll = select.poll()
        self._transport: asyncio.Transport | None = None
        self._answer: asyncio.Future[Answer] | None = None
        self._closing: asyncio.TimerHandle | None = None
        self._phase: Phase = "sent"
        self._keep = True
        self._body = b""
        self._retry_after: float | None = None

    @property
    def phase(self) -> Phase:
        """How far its request has come."""
        return self._phase

    @property
    def keeps(self) -> bool:
        """Whether the last answer left it open."""
        return self._keep

    def usable(self) -> bool:
        """Whether another request may be sent: it is open, and nothing came unasked.

        This asks the system, because the loop may not have noticed yet: a connection that the
        server closed before the request was sent is no failure of the server.
        """
        return self._transport is not None and not self._poll.poll(0)

    async def ask(self, request: bytes) -> Answer:
        """Send a request and return its answer.

        Raises:
            NoAnswer: the connection ended first.

        """
        if self._transport is None:
            raise NoAnswer("ServerDisconnected", "connecting", reused=self.requests > 0)
        self._phase = "sent"
        self.requests += 1
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(request)
        return await self._answer

    def leave(self) -> None:
        """Let the server close it, as it announced; close it if that takes over 1 s.

        The side that closes first keeps the port for a minute, and a client has only so many.
        """
        if self._transport is not None:
            loop = asyncio.get_running_loop()
            self._closing = loop.call_later(_CLOSE_SECONDS, self.abort)

    def abort(self) -> None:
        """Close it now, whatever it carries."""
        transport, self._transport = self._transport, None
        if transport is not None:
            transport.abort()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take the transport."""
        assert isinstance(transport, asyncio.Transport)  # noqa: S101  as create_connection makes
        self._transport = transport
        self._poll.register(transport.get_extra_info("socket").fileno(), select.POLLIN)

    def data_received(self, data: bytes) -> None:
        """Parse a part of an answer."""
        if self._answer is None:
            self.abort()  # no request is open
            return
        self._phase = "answering"
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            self._fail("NotHTTP")
            self.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        """Fail the request that it carries."""
        self._transport = None
        if self._closing is not None:
            self._closing.cancel()
        if exc is not None:
            self._fail(error_name(exc))
        else:
            self._fail("ServerDisconnected" if self._phase == "sent" else "IncompleteAnswer")

    def on_message_begin(self) -> None:
        """Forget the previous answer; refuse one that nobody asked for."""
        if self._answer is None:
            raise ValueError("an answer came without a request")
        self._body = b""
        self._retry_after = None

    def on_header(self, name: bytes, value: bytes) -> None:
        """Keep Retry-After; the parser handles the headers of the framing."""
        if name.lower() == b"retry-after":
            self._retry_after = float(value) if value.isdigit() else _SOME_TIME

    def on_body(self, body: bytes) -> None:
        """Add a part of the body."""
        self._body += body

    def on_message_complete(self) -> None:
        """Return the answer to the caller of `ask`."""
        status = self._parser.get_status_code()
        if status < _FIRST_FINAL_STATUS:
            return
        self._keep = self._parser.should_keep_alive()
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            reused = self.requests > 1
            answer.set_result(Answer(status, self._body, self._retry_after, reused))

    def _fail(self, what: str) -> None:
        answer, self._answer = self._answer, None
        if answer is not None and not answer.done():
            answer.set_exception(NoAnswer(what, self._phase, reused=self.requests > 1))


def error_name(error: Exception) -> str:
    """Return the name by which an error is counted: its class's, or the system's."""
    if type(error) is OSError and error.errno is not None:
        return errno.errorcode.get(error.errno, "OSError")
    return type(error).__name__
