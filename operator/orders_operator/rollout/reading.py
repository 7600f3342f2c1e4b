"""Reads the pods' counters from the pods themselves, so an analysis needs no Prometheus."""

import asyncio
from collections.abc import Sequence
from http import HTTPStatus
from typing import Final

import aiohttp

from orders_operator.objects import Object
from orders_operator.resources.pod import SERVICE
from orders_operator.resources.references import metrics_keys_of
from orders_operator.resources.service import METRICS, METRICS_PORT
from orders_operator.rollout.measure import Readings
from orders_operator.rollout.windows import Reading, read

TIMEOUT: Final = aiohttp.ClientTimeout(total=5, connect=2)
_LARGEST: Final = 8 << 20
_ACCEPT: Final = {"Accept": "text/plain; version=0.0.4"}


async def scrape(pods: Sequence[Object], credential: str | None = None) -> Readings:
    """Return what each pod has counted since its start, or why that is unknown.

    Args:
        pods: the pods to read.
        credential: the API key for pods that require one for their metrics.

    """
    async with aiohttp.ClientSession(timeout=TIMEOUT) as session:
        readings = await asyncio.gather(*(_pod(session, pod, credential) for pod in pods))
    read_by = zip((pod["metadata"]["uid"] for pod in pods), readings, strict=True)
    good, bad = {}, {}
    for uid, reading in read_by:
        if isinstance(reading, Reading):
            good[uid] = reading
        else:
            bad[uid] = reading
    return Readings(good, bad)


async def content(answer: aiohttp.ClientResponse) -> bytes:
    """Return the body of an answer.

    Raises:
        ValueError: it is larger than 8 MiB.

    """
    body = bytearray()
    async for part in answer.content.iter_any():
        body += part
        if len(body) > _LARGEST:
            raise ValueError(f"more than {_LARGEST} bytes")
    return bytes(body)


def named(error: Exception) -> str:
    """Return an error's message, or its type without one."""
    return str(error) or type(error).__name__


def url(pod: Object, path: str) -> str | None:
    """Return the URL of a path at a pod's metrics port; None if the pod has no address."""
    address = (pod.get("status") or {}).get("podIP")
    if not address:
        return None
    host = f"[{address}]" if ":" in address else address
    return f"http://{host}:{_port(pod)}{path}"


async def _pod(
    session: aiohttp.ClientSession, pod: Object, credential: str | None
) -> Reading | str:
    """Return what a pod has counted, or why that is unknown."""
    where = url(pod, "/metrics")
    if where is None:
        return "the pod has no address"
    headers = _ACCEPT
    if credential is not None and metrics_keys_of(pod) is not None:
        headers = {**_ACCEPT, "X-Api-Key": credential}
    try:
        async with session.get(where, headers=headers, allow_redirects=False) as answer:
            if answer.status != HTTPStatus.OK:
                return f"it answered {answer.status}"
            return read((await content(answer)).decode())
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return named(error)


def _port(pod: Object) -> int:
    """Return the port `metrics` of the service's own container; a sidecar may have one too."""
    containers = (pod.get("spec") or {}).get("containers") or []
    own = (container for container in containers if container.get("name") == SERVICE)
    ports = (port for container in own for port in container.get("ports") or ())
    return next(
        (port["containerPort"] for port in ports if port.get("name") == METRICS), METRICS_PORT
    )
