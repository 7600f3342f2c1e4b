"""Reads what pods have counted from a Prometheus that scrapes them.

The counters themselves are asked for, not their increase: `increase` takes no notice of a series
that begins with its first errors, and guesses what was before its first sample. One query tells
what was counted, by which process, when that was scraped and what time it is there, so that all of
it is of one moment.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from http import HTTPStatus
from math import isfinite
from typing import Final
from urllib.parse import urlsplit

import aiohttp
from msgspec import DecodeError, Struct, ValidationError, json

from orders_operator.objects import Object
from orders_operator.resources.pod import SERVICE
from orders_operator.rollout.measure import Readings
from orders_operator.rollout.reading import TIMEOUT, content, named
from orders_operator.rollout.windows import PROCESS, REQUESTS, STATUS, Reading, counts

_WHAT: Final = "reading"
"""A label of the query's own: which of its parts a number is of."""
_STARTED, _SCRAPED, _NOW = "started", "scraped", "now"
_SCRAPER: Final = ("container", "job", "instance")
"""Labels of who scrapes what of a pod: two who do it count everything twice."""


class ReadingError(Exception):
    """A Prometheus cannot be queried; the message says where it is and why."""


class _Series(Struct):
    metric: dict[str, str]
    value: tuple[float, str]


class _Data(Struct):
    result: list[_Series]


class _Answer(Struct):
    status: str
    data: _Data | None = None
    error: str = ""


async def ask(url: str, namespace: str, pods: Sequence[Object]) -> Readings:
    """Ask a Prometheus what each pod has counted since its start.

    Raises:
        ReadingError: it is away, or answers something else.

    """
    body = {"query": query(namespace, [pod["metadata"]["name"] for pod in pods])}
    try:
        async with (
            aiohttp.ClientSession(timeout=TIMEOUT) as session,
            session.post(f"{url.rstrip('/')}/api/v1/query", data=body) as answer,
        ):
            text = await content(answer)
            if answer.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
                raise ReadingError(
                    f"Prometheus at {url} refused the query: it answered {answer.status}."
                )
            said = json.decode(text, type=_Answer, strict=False)
            if said.status != "success" or said.data is None:
                raise ReadingError(f"Prometheus at {url} refused the query: {said.error}.")
            return _readings(url, said.data.result, pods)
    except (aiohttp.ClientConnectionError, TimeoutError) as error:
        raise ReadingError(_unreached(url, error)) from None
    except (aiohttp.ClientError, DecodeError, ValidationError, ValueError) as error:
        raise ReadingError(f"Prometheus at {url} cannot be queried: {named(error)}.") from None


def query(namespace: str, names: Sequence[str]) -> str:
    """Return the query for pods of a namespace, by their names."""
    listed = "|".join(re.escape(name) for name in sorted(names)).replace("\\", "\\\\")
    of = f'namespace="{namespace}",pod=~"{listed}"'
    by = f"by (pod, {', '.join(_SCRAPER)}"
    parts = (
        f'sum {by}, le, {STATUS}) ({{__name__=~"{REQUESTS}_(bucket|count)",{of}}})',
        _marked(_STARTED, f"max {by}) ({PROCESS}{{{of}}})"),
        _marked(_SCRAPED, f"max {by}) (timestamp({PROCESS}{{{of}}}))"),
        _marked(_NOW, "vector(time())"),
    )
    return "\nor ".join(parts)


def _marked(what: str, expression: str) -> str:
    return f'label_replace({expression}, "{_WHAT}", "{what}", "", "")'


def _readings(url: str, result: Sequence[_Series], pods: Sequence[Object]) -> Readings:
    """Return what an answer says of each pod.

    Raises:
        ReadingError: it does not say its time, as what is no Prometheus.

    """
    now = next((_value(sample) for sample in result if sample.metric.get(_WHAT) == _NOW), None)
    if now is None:
        raise ReadingError(f"Prometheus at {url} did not answer the query.")
    by_pod: dict[str, list[_Series]] = {}
    for series in result:
        by_pod.setdefault(series.metric.get("pod", ""), []).append(series)
    good, bad = {}, {}
    for pod in pods:
        name, uid = pod["metadata"]["name"], pod["metadata"]["uid"]
        try:
            reading = _of_one(by_pod.get(name, []))
        except ValueError as error:
            bad[uid] = f"Prometheus at {url} says that {error}"
            continue
        if reading is None:
            bad[uid] = f"Prometheus at {url} has no data for it"
        else:
            good[uid] = reading
    return Readings(good, bad, now)


def _of_one(series: Sequence[_Series]) -> Reading | None:
    """Return what was read of a pod, by one of those who scrape it; None if nobody does.

    Of a pod with sidecars the service's own container counts, where it is said which one it is.

    Raises:
        ValueError: a number is none, or they do not add up.

    """
    started = {
        _scraper(sample): sample for sample in series if sample.metric.get(_WHAT) == _STARTED
    }
    scraped = {
        _scraper(sample): sample for sample in series if sample.metric.get(_WHAT) == _SCRAPED
    }
    there = started.keys() & scraped.keys()
    own = [scraper for scraper in there if scraper[0] == SERVICE] or [
        scraper for scraper in there if not scraper[0]
    ]
    if not own:
        return None
    first = min(own)
    mine = [
        sample for sample in series if _WHAT not in sample.metric and _scraper(sample) == first
    ]
    return Reading(counts(_samples(mine)), _value(started[first]), _value(scraped[first]))


def _samples(series: Sequence[_Series]) -> Iterator[tuple[str, Mapping[str, str], float]]:
    for sample in series:
        kind = "bucket" if sample.metric.get("le") else "count"
        yield f"{REQUESTS}_{kind}", sample.metric, _number(sample)


def _scraper(series: _Series) -> tuple[str, ...]:
    return tuple(series.metric.get(label, "") for label in _SCRAPER)


def _number(series: _Series) -> float:
    return float(series.value[1])


def _value(series: _Series) -> float:
    """Return a number.

    Raises:
        ValueError: it is none.

    """
    value = _number(series)
    if not isfinite(value):
        raise ValueError(f"{series.metric.get(_WHAT)} is {value}")
    return value


def _unreached(url: str, error: Exception) -> str:
    """Say where it should be, and the value that lets the operator go there."""
    said = f"Prometheus at {url} cannot be queried: {named(error)}."
    try:
        parts = urlsplit(url)
        port = parts.port or (443 if parts.scheme == "https" else 80)
    except ValueError:
        return said
    return (
        f"{said} Its host is {parts.hostname}, its port {port}; the operator may connect only to"
        " the ports in operator.networkPolicy.prometheusPorts of the chart's values."
    )
