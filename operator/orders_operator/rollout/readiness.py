"""Asks pods that run but are not ready for the reason: their status does not say it.

A kubelet reports a failing probe only in Events, and there only its status, not its text. The
service gives the text to anyone who asks at the port of its metrics, which is open to the
operator.
"""

import asyncio
from collections.abc import Iterable
from http import HTTPStatus
from typing import Final

import aiohttp

from orders_operator.objects import Object
from orders_operator.rollout.reading import TIMEOUT, content, named, url
from orders_operator.rollout.unready import runs_unready

_PATH: Final = "/readyz"
_FAILED: Final = "[-]"
_LONGEST: Final = 300
"""How many characters of an answer are reported."""
_MOST: Final = 10
"""How many pods are asked: more would say the same."""


async def answers(pods: Iterable[Object]) -> dict[str, str]:
    """Return the answers to `/readyz` of pods that run but are not ready, by their uid."""
    asked = [pod for pod in pods if runs_unready(pod)][:_MOST]
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
        said = await asyncio.gather(*(_ask(session, pod) for pod in asked))
    return {pod["metadata"]["uid"]: text for pod, text in zip(asked, said, strict=True)}


async def _ask(session: aiohttp.ClientSession, pod: Object) -> str:
    where = url(pod, _PATH)
    if where is None:
        return "the pod has no address"
    try:
        async with session.get(where, allow_redirects=False) as answer:
            status, text = answer.status, (await content(answer)).decode(errors="replace")
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return f"{_PATH} cannot be reached: {named(error)}"
    if status == HTTPStatus.OK:
        return f"{_PATH} answers the operator with {status}"
    failed = [line.strip() for line in text.splitlines() if line.startswith(_FAILED)]
    words = "; ".join(failed) or " ".join(text.split())
    return f"{_PATH} answers {status}: {words[:_LONGEST]}"
