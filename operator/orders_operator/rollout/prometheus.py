"""Reads the pods' counters from a Prometheus that scrapes them.

The query asks for the counters themselves, not for their increase: `increase` ignores a series
that begins with its first errors, and guesses what was before its first sample. One query returns
the counters, the process that counted, the time of the scrape and Prometheus' own time, so that
all of it is of one moment.
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
"""A label that the query adds: which part of the answer a number belongs to."""
_STARTED, _SCRAPED, _NOW = "started", "scraped", "now"
_SCRAPER: Final = ("container", "job", "instance")
"""Labels that identify a scraper of a pod: two scrapers count everything twice."""


class ReadingError(Exception):
    """Prometheus cannot be queried; the message says where it is and why."""


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
    """Query Prometheus for what each pod has counted since its start.

    Raises:
        ReadingError: Prometheus cannot be reached, or gives an unexpected answer.

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
    """Return the query for the named pods of a namespace."""
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
    """Return the readings in an answer.

    Raises:
        ReadingError: the answer lacks the time, so its source is no Prometheus.

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
    """Return the reading of a pod by one of its scrapers; None if nothing scrapes it.

    In a pod with sidecars the service's own container counts, if the labels name containers.

    Raises:
        ValueError: a number is not finite, or the numbers do not add up.

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
    """Return a finite number.

    Raises:
        ValueError: it is not finite.

    """
    value = _number(series)
    if not isfinite(value):
        raise ValueError(f"{series.metric.get(_WHAT)} is {value}")
    return value


def _unreached(url: str, error: Exception) -> str:
    """Return the message for an unreachable Prometheus, with the chart's value to check."""
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
