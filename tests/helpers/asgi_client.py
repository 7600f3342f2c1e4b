"""How tests ask the application, and what they send."""

from typing import Any

import httpx

from orders.http.app import Application

TEA = {"item": "tea", "quantity": 3}
JSON = {"content-type": "application/json"}
NOBODY = "01234567-89ab-cdef-0123-456789abcdef"


def problem(response: httpx.Response) -> str:
    """Return the name of the problem that a response tells of."""
    assert "application/problem+json" == response.headers["content-type"]
    assert response.status_code == response.json()["status"]
    return str(response.json()["type"].rpartition("/")[2])


async def ask(
    app: Application, path: str, *chunks: bytes, **more: Any
) -> tuple[int, dict[bytes, bytes], bytes, int]:
    """Send a raw request; return status, headers, body and how many chunks were taken."""
    waiting = [
        {"type": "http.request", "body": chunk, "more_body": index < len(chunks) - 1}
        for index, chunk in enumerate(chunks)
    ]
    waiting.append({"type": "http.disconnect"})
    sent: list[Any] = []

    async def receive() -> Any:
        return waiting.pop(0)

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "http",
        "method": "GET",
        "path": path,
        "query_string": b"",
        "headers": [],
        "extensions": {},
        **more,
    }
    await app(scope, receive, send)  # type: ignore[arg-type]
    taken = len(chunks) + 1 - len(waiting)
    return sent[0]["status"], dict(sent[0]["headers"]), sent[1]["body"], taken
