"""Where the numbers of a window come from: the pods' own metrics, or a Prometheus that has them.

The pods are asked straight, so an analysis needs nothing but them.
"""

import asyncio
import re
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from math import isfinite
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
from msgspec import DecodeError, Struct, ValidationError, json

from orders_operator.resources.pod import SERVICE
from orders_operator.resources.service import METRICS, METRICS_PORT
from orders_operator.rollout.windows import REQUESTS, Counts, counts, read

Object = dict[str, Any]

_TIMEOUT: Final = aiohttp.ClientTimeout(total=5, connect=2)
_LARGEST: Final = 8 << 20
_ACCEPT: Final = {"Accept": "text/plain; version=0.0.4"}


class ReadingError(Exception):
    """The numbers are not to be had now; the message says whose and why."""


class _Series(Struct):
    metric: dict[str, str]
    value: tuple[float, str]


class _Data(Struct):
    result: list[_Series]


class _Answer(Struct):
    status: str
    data: _Data | None = None
    error: str = ""


async def scrape(pods: Sequence[Object]) -> dict[str, Counts]:
    """Return what each pod has counted since its start, by its uid; one that fails is left out.

    Raises:
        ReadingError: none could be read.

    """
    async with aiohttp.ClientSession(timeout=_TIMEOUT) as session:
        found = await asyncio.gather(*(_pod(session, pod) for pod in pods))
    good = {uid: it for uid, it in found if isinstance(it, Counts)}
    if pods and not good:
        raise ReadingError(f"The metrics of no pod can be read: {found[0][1]}.")
    return good


async def ask(
    url: str, namespace: str, pods: Sequence[Object], seconds: float
) -> Mapping[str, Counts]:
    """Ask a Prometheus what each pod has counted in the last seconds, by its uid.

    Raises:
        ReadingError: it is away, or answers something else.

    """
    names = {pod["metadata"]["name"]: pod["metadata"]["uid"] for pod in pods}
    selected = "|".join(re.escape(name) for name in names)
    query = (
        f'{{__name__=~"{REQUESTS}_(bucket|count)",namespace="{namespace}",'
        f'pod=~"{selected}"}}'.replace("\\", "\\\\")
    )
    body = {"query": f"increase({query}[{max(1, round(seconds))}s])"}
    try:
        async with (
            aiohttp.ClientSession(timeout=_TIMEOUT) as session,
            session.post(f"{url.rstrip('/')}/api/v1/query", data=body) as answer,
        ):
            said = json.decode(await _content(answer), type=_Answer, strict=False)
    except (aiohttp.ClientConnectionError, TimeoutError) as error:
        raise ReadingError(_unreached(url, error)) from None
    except (aiohttp.ClientError, DecodeError, ValidationError, ValueError) as error:
        raise ReadingError(f"Prometheus at {url} cannot be asked: {_named(error)}.") from None
    if said.status != "success" or said.data is None:
        raise ReadingError(f"Prometheus at {url} refuses: {said.error}.")
    return _by_pod(said.data.result, names)


def _unreached(url: str, error: Exception) -> str:
    """Say where it should be, and the value that lets the operator go there."""
    said = f"Prometheus at {url} cannot be asked: {_named(error)}."
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return said
    return (
        f"{said} Its host is {parts.hostname}, its port {port}; the operator is let out to the"
        " ports of operator.networkPolicy.prometheusPorts in the chart's values."
    )


def _by_pod(result: Sequence[_Series], names: Mapping[str, str]) -> dict[str, Counts]:
    """Group series by the pod that they are of; `increase` leaves the name of the metric out.

    Of a pod with sidecars those of the service's own container count, where they say so.
    """
    by_uid: dict[str, list[tuple[str, Mapping[str, str], float]]] = {}
    own = {it.metric.get("pod") for it in result if it.metric.get("container") == SERVICE}
    for series in result:
        pod = series.metric.get("pod", "")
        uid = names.get(pod)
        if uid is None or (pod in own and series.metric.get("container") != SERVICE):
            continue
        value = float(series.value[1])
        if not isfinite(value):
            raise ReadingError(f"Prometheus says {value} of {series.metric['pod']}.")
        kind = "bucket" if "le" in series.metric else "count"
        sample = (f"{REQUESTS}_{kind}", series.metric, value)
        by_uid.setdefault(uid, []).append(sample)
    return {uid: counts(samples) for uid, samples in by_uid.items()}


async def _pod(session: aiohttp.ClientSession, pod: Object) -> tuple[str, Counts | str]:
    """Return a pod's uid, and what it counted or why that is not known."""
    uid, address = pod["metadata"]["uid"], (pod.get("status") or {}).get("podIP")
    if not address:
        return uid, f"{pod['metadata']['name']} has no address"
    host = f"[{address}]" if ":" in address else address
    try:
        async with session.get(f"http://{host}:{_port(pod)}/metrics", headers=_ACCEPT) as answer:
            if answer.status != HTTPStatus.OK:
                return uid, f"{pod['metadata']['name']} answered {answer.status}"
            return uid, read((await _content(answer)).decode())
    except (aiohttp.ClientError, TimeoutError, ValueError) as error:
        return uid, f"{pod['metadata']['name']}: {_named(error)}"


def _port(pod: Object) -> int:
    """Return the port that the service's own container calls `metrics`, as a sidecar's may be."""
    containers = (pod.get("spec") or {}).get("containers") or []
    own = (it for it in containers if it.get("name") == SERVICE)
    named = (port for it in own for port in it.get("ports") or ())
    return next((it["containerPort"] for it in named if it.get("name") == METRICS), METRICS_PORT)


async def _content(answer: aiohttp.ClientResponse) -> bytes:
    content = await answer.content.read(_LARGEST)
    if not answer.content.at_eof():
        raise ValueError(f"more than {_LARGEST} bytes")
    return content


def _named(error: Exception) -> str:
    return str(error) or type(error).__name__
