"""`orders smoke URL`: whether a running service takes an order, keeps it, and gives it back.

What `helm test` runs, and a deployment pipeline may: it needs nothing but this package. The order
is real; its key makes sending it twice one order.
"""

import json
import sys
import time
import urllib.error
import urllib.request
import uuid
from http import HTTPStatus
from typing import Any, Final, NamedTuple

from orders.config.masking import masked

_TIMEOUT: Final = 10.0
_PAUSE: Final = 0.5
_ORDER: Final = {"item": "smoke test", "quantity": 1}


class SmokeError(Exception):
    """The service did not do as it should; the message says what was asked and what came."""


class Answer(NamedTuple):
    """What the service said; `body` is decoded JSON."""

    status: int
    headers: dict[str, str]
    body: Any


def main(url: str, *, wait: float) -> int:
    """Place an order at `url`, send it again, read it; return the exit status, 1 if it failed.

    `wait` is for how many seconds a service that does not answer, or not yet, is asked again.
    """
    base = url.rstrip("/")
    key = str(uuid.uuid4())
    deadline = time.monotonic() + wait
    while True:
        try:
            order = _try(base, key)
        except SmokeError as error:
            if time.monotonic() >= deadline:
                sys.stderr.write(masked(f"orders: {error}\n"))
                return 1
            time.sleep(_PAUSE)
        else:
            sys.stdout.write(f"{masked(base)}/orders/{order['id']}: placed, replayed and read\n")
            return 0


def _try(base: str, key: str) -> dict[str, Any]:
    made = _ask("POST", f"{base}/orders", _ORDER, key)
    _expect(made, HTTPStatus.CREATED, _ORDER)
    again = _ask("POST", f"{base}/orders", _ORDER, key)
    _expect(again, HTTPStatus.CREATED, made.body)
    if again.headers.get("idempotency-replayed") != "true":
        raise SmokeError(f"POST {base}/orders: the same key made a second order")
    found = _ask("GET", f"{base}{made.headers['location']}")
    _expect(found, HTTPStatus.OK, made.body)
    order: dict[str, Any] = found.body
    return order


def _ask(
    method: str, url: str, body: dict[str, Any] | None = None, key: str | None = None
) -> Answer:
    headers = {"content-type": "application/json"} if body else {}
    if key:
        headers["idempotency-key"] = f'"{key}"'
    data = json.dumps(body).encode() if body else None
    try:
        request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310  the caller's own URL, http or https
        with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310  the same
            fields = {name.lower(): value for name, value in answer.headers.items()}
            return Answer(answer.status, fields, json.load(answer))
    except urllib.error.HTTPError as error:
        with error:  # it is the answer, too
            raise SmokeError(f"{method} {url}: {error.code} {error.read(1000)!r}") from error
    except (OSError, ValueError) as error:
        raise SmokeError(f"{method} {url}: {error}") from error


def _expect(answer: Answer, status: int, fields: dict[str, Any]) -> None:
    found = {name: answer.body.get(name) for name in fields}
    if (answer.status, found) != (status, fields):
        raise SmokeError(f"expected {status} and {fields}, got {answer.status} and {answer.body}")
