"""The two requests of a load as bytes, and the checks of their answers."""

import uuid
from typing import Final
from urllib.parse import urlsplit

import msgspec

from orders_operator.load.connection import Answer
from orders_operator.load.credential import Credential
from orders_operator.load.ledger import Entry, Order

RESOURCE: Final = "/orders"
"""Path of the orders, below the API's URL."""

MISMATCH: Final = "Mismatch"
"""The error of an answer with another order than the one that was created."""

_CREATED: Final = 201
_FOUND: Final = 200
_MISSING: Final = 404
_UNAVAILABLE: Final = 503
_CLIENT_ERRORS: Final = range(400, 500)
_OPEN_ENDED: Final = "deadline-exceeded"


class _Told(msgspec.Struct):
    id: uuid.UUID
    item: str
    quantity: int


class _Problem(msgspec.Struct):
    type: str


_told: Final = msgspec.json.Decoder(_Told)
_problem: Final = msgspec.json.Decoder(_Problem)


def get(url: str) -> bytes:
    """Return a GET request for a URL, on a connection of its own."""
    parts = urlsplit(url)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    return f"{_head('GET', target, parts.netloc, fresh=True)}\r\n".encode()


class Create:
    """Creates an order under its key."""

    method: Final = "POST"

    def __init__(self, order: Order, content: bytes) -> None:
        self.key = order.key
        self.content = content
        self.order_id: uuid.UUID | None = None
        """The order's id, once it is acknowledged."""
        self._order = order

    def wrong(self, answer: Answer) -> str | None:
        """Return what is wrong with an answer; None if nothing is."""
        if answer.status != _CREATED:
            return _problem_type(answer)
        told = _decoded(answer)
        if told is None or (told.item, told.quantity) != (self._order.item, self._order.quantity):
            return MISMATCH
        self.order_id = told.id
        return None


class Read:
    """Reads an order that was acknowledged."""

    method: Final = "GET"

    def __init__(self, entry: Entry, content: bytes) -> None:
        self.key = entry.key
        self.content = content
        self._expected = (entry.id, entry.item, entry.quantity)

    def wrong(self, answer: Answer) -> str | None:
        """Return what is wrong with an answer, or None; a missing order is a mismatch."""
        if answer.status not in {_FOUND, _MISSING}:
            return _problem_type(answer)
        told = _decoded(answer)
        if told is None or (str(told.id), told.item, told.quantity) != self._expected:
            return MISMATCH
        return None


class Requests:
    """Writes requests to one service."""

    def __init__(self, url: str, credential: Credential | None = None) -> None:
        parts = urlsplit(url)
        self._credential = credential or Credential()
        self._path = f"{parts.path.rstrip('/')}{RESOURCE}"
        self._host = parts.netloc

    def create(self, order: Order, *, fresh: bool) -> Create:
        """Return the request that creates an order."""
        body = f'{{"item":"{order.item}","quantity":{order.quantity}}}'
        head = _head("POST", self._path, self._host, fresh=fresh)
        fields = (
            f"{self._credential.line()}"
            "Content-Type: application/json\r\n"
            f'Idempotency-Key: "{order.key}"\r\n'
            f"Content-Length: {len(body)}\r\n"
        )
        return Create(order, f"{head}{fields}\r\n{body}".encode())

    def read(self, entry: Entry, *, fresh: bool) -> Read:
        """Return the request that reads an acknowledged order."""
        head = _head("GET", f"{self._path}/{entry.id}", self._host, fresh=fresh)
        return Read(entry, f"{head}{self._credential.line()}\r\n".encode())


def may_have_created(answer: Answer, what: str) -> bool:
    """Whether the order may exist although it was not acknowledged.

    It does not if the answer rules that out: docs/api.md says what each problem means.
    """
    said_no = answer.status in _CLIENT_ERRORS or refused(answer)
    return not said_no or what == _OPEN_ENDED


def refused(answer: Answer) -> bool:
    """Whether the service asks to try again later: a 503 with Retry-After."""
    return answer.status == _UNAVAILABLE and answer.retry_after is not None


def _head(method: str, target: str, host: str, *, fresh: bool) -> str:
    close = "Connection: close\r\n" if fresh else ""
    return f"{method} {target} HTTP/1.1\r\nHost: {host}\r\n{close}"


def _decoded(answer: Answer) -> _Told | None:
    try:
        return _told.decode(answer.body)
    except msgspec.MsgspecError:
        return None


def _problem_type(answer: Answer) -> str:
    """Return the problem's type, without its address, or else the status."""
    try:
        return _problem.decode(answer.body).type.rpartition("/")[2] or str(answer.status)
    except msgspec.MsgspecError:
        return str(answer.status)
