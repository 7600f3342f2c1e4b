"""What an endpoint's reply is on the wire, on either path."""

from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from msgspec import json

from orders.http.endpoints.orders import PRIVATE

if TYPE_CHECKING:
    from orders.http.endpoint import Endpoint, Reply

BODILESS: Final = frozenset((HTTPStatus.NO_CONTENT, HTTPStatus.NOT_MODIFIED))
"""Statuses of answers that have no body, and so no type of it."""

_encode: Final = json.Encoder().encode


def rendered(endpoint: "Endpoint", reply: "Reply[Any]") -> tuple[int, dict[str, str], bytes]:
    """Return the status, the headers and the body of a reply, which is only for its caller.

    Raises:
        ValueError: it has a body, and a status that allows none.

    """
    status = reply.status or endpoint.status
    body = b"" if reply.body is None else _encode(reply.body)
    if body and status in BODILESS:
        raise ValueError(f"{endpoint.name} answers {status} with a body")
    return status, dict((PRIVATE, *reply.headers)), body
