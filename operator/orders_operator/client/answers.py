"""Reads answers of the API server, or of a proxy before it, and errors without an answer."""

from typing import Any

import httpx2
from msgspec import DecodeError, json

from orders_operator.client.errors import ErrorReason, KubeError


def decoded(content: bytes, what: str, form: Any = Any) -> Any:
    """Return the decoded content of an answer.

    Raises:
        KubeError: it is not JSON, or not of the expected form.

    """
    try:
        return json.decode(content or b"{}", type=form)
    except DecodeError:  # a ValidationError is one
        text = f"{what}: the answer is not the expected JSON"
        raise KubeError(ErrorReason.UNAVAILABLE, text) from None


def told(answer: httpx2.Response) -> Any:
    """Return the content of a failure: a Status, or the plain text of a proxy in between."""
    try:
        return json.decode(answer.content)
    except (DecodeError, UnicodeDecodeError):
        plain = answer.headers.get("Content-Type", "").startswith("text/plain")
        return {"message": " ".join(answer.text.split())} if plain else None


def asked(retry_after: str | None, ours: float) -> float:
    """Return the seconds to wait: what the server asks for, but at least our own backoff."""
    if retry_after is None or not retry_after.isdigit():
        return ours
    return max(float(retry_after), ours)


def named(error: httpx2.HTTPError) -> str:
    """Return why there was no answer."""
    return f"{type(error).__name__} {error}".strip()
