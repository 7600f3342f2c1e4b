"""HTTP calls to an API server, with retries while it is busy or away, each within its time."""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from typing import Any, Final

import httpx2
from msgspec import json

from orders_operator.client.answers import asked, decoded, named, told
from orders_operator.client.errors import ErrorReason, KubeError, from_answer, transient

TIMEOUT_SECONDS: Final = 30.0
BACKOFF_SECONDS: Final = (0.2, 0.8, 2.0)
_TRIES: Final = 4
_LONGEST_WAIT_SECONDS: Final = 10.0
"""The longest Retry-After that a call itself waits for; the queue waits for longer ones."""
_AGAIN_SECONDS: Final = 5.0
"""How long a call may be retried: one that took longer has cost its caller enough."""
_GRACE_SECONDS: Final = 1.0
"""How much longer a call waits than the time limit that it gave to the API server."""
_JSON: Final = "application/json"

log = logging.getLogger("orders_operator.client")


class Transport:
    """Sends requests to one API server."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        self._http = http

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def request(  # noqa: PLR0913  what HTTP is made of
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        *,
        content_type: str = _JSON,
        accept: str = _JSON,
        form: Any = Any,
        tries: int = _TRIES,
        seconds: float | None = None,
    ) -> Any:
        """Send a request, with retries while the server is busy or away; return its answer.

        Args:
            method: the HTTP method.
            url: the path.
            params: the parameters of the query.
            body: is sent as JSON.
            content_type: the type of the body.
            accept: the accepted types of the answer.
            form: the type to which the answer is decoded.
            tries: how many tries there are at most.
            seconds: how long one try may take. The API server is told, so that it gives up first
                and says what it has waited for. Then an answer to a write is final.

        Raises:
            KubeError: the answer was a failure, or none came.

        """
        what = f"{method} {url}"
        content = None if body is None else json.encode(body)
        headers = {"Accept": accept} | ({} if body is None else {"Content-Type": content_type})
        timeout = TIMEOUT_SECONDS
        if seconds is not None:
            params = {**(params or {}), "timeout": f"{round(seconds * 1000)}ms"}
            timeout = seconds + _GRACE_SECONDS
        began = time.monotonic()
        for attempt in range(tries):
            try:
                answer = await self._http.request(
                    method, url, params=params, content=content, headers=headers, timeout=timeout
                )
            except httpx2.HTTPError as error:
                if attempt == tries - 1 or _late(began):
                    lost = not isinstance(error, httpx2.ReadTimeout)
                    text = f"{what}: {named(error)}"
                    raise KubeError(ErrorReason.UNAVAILABLE, text, lost=lost) from None
                await asyncio.sleep(BACKOFF_SECONDS[attempt])
                continue
            final = seconds is not None and method != "GET"
            last = final or attempt == tries - 1 or _late(began)
            if answer.is_success:
                return decoded(answer.content, what, form)
            wait = asked(answer.headers.get("Retry-After"), BACKOFF_SECONDS[min(attempt, 2)])
            if last or not transient(answer.status_code) or wait > _LONGEST_WAIT_SECONDS:
                raise from_answer(answer.status_code, told(answer), what)
            log.debug("%s answered %d; again in %g s", what, answer.status_code, wait)
            await asyncio.sleep(wait)
        raise AssertionError("unreachable")

    async def lines(self, url: str, params: Mapping[str, str]) -> AsyncIterator[bytes]:
        """Yield the lines of an answer as they arrive, for as long as the server sends.

        Raises:
            KubeError: the answer was a failure, or broke off.

        """
        what = f"GET {url}"
        timeout = httpx2.Timeout(TIMEOUT_SECONDS, read=None)
        rest = b""
        try:
            async with self._http.stream("GET", url, params=params, timeout=timeout) as answer:
                if not answer.is_success:
                    await answer.aread()
                    raise from_answer(answer.status_code, told(answer), what)
                async for chunk in answer.aiter_bytes():
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        yield line
        except httpx2.HTTPError as error:
            raise KubeError(ErrorReason.UNAVAILABLE, f"{what}: {named(error)}") from None
        if rest:
            yield rest


def _late(began: float) -> bool:
    """Whether too much time has passed for another try."""
    return time.monotonic() - began > _AGAIN_SECONDS
