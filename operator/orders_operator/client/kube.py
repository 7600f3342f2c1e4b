"""The Kubernetes API with plain dicts: get, list, server-side apply, delete, and little else.

lightkube reads the kubeconfig or the service account, and makes the HTTP client with its TLS and
its tokens, which it reads again when they are rotated. Its typed models, tens of MB when they are
imported, are not used: what is applied here is a dict from the first to the last line.
"""

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any, Final, Self

import httpx2
from lightkube.config.client_adapter import AsyncClient, ConnectionParams
from lightkube.config.kubeconfig import KubeConfig
from lightkube.core.exceptions import ConfigError
from msgspec import json

from orders_operator.client.answers import asked, decoded, named, told
from orders_operator.client.errors import Failure, KubeError, from_answer, transient
from orders_operator.client.partial import PARTIAL_LIST, Metadata, PartialList

Object = dict[str, Any]
"""A Kubernetes object as JSON has it."""

TIMEOUT_SECONDS: Final = 30.0
_TRIES: Final = 4
_BACKOFF_SECONDS: Final = (0.2, 0.8, 2.0)
_PATIENCE_SECONDS: Final = 10.0
"""The longest Retry-After that is waited for in place; the queue waits for longer ones."""
_AGAIN_SECONDS: Final = 5.0
"""How long a call is tried again in place: one that took longer has cost its caller enough."""
_GRACE_SECONDS: Final = 1.0
"""How much longer than the API server a call waits that has told it how long it may take."""
_PAGE: Final = 250
_JSON: Final = "application/json"
_APPLY: Final = "application/apply-patch+yaml"  # JSON is YAML
_CONNECTIONS: Final = 16

log = logging.getLogger("orders_operator.client")


def path(
    api_version: str,
    plural: str,
    namespace: str | None = None,
    name: str | None = None,
    subresource: str | None = None,
) -> str:
    """Return the URL's path of a collection, an object or its subresource."""
    parts = ["/apis" if "/" in api_version else "/api", api_version]
    if namespace is not None:
        parts += ["namespaces", namespace]
    parts.append(plural)
    parts += [part for part in (name, subresource) if part is not None]
    return "/".join(parts)


class Kube:
    """One connection pool to one API server."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        """Take what speaks HTTP with the API server."""
        self._http = http

    @classmethod
    def connect(cls) -> Self:
        """Use the service account of the pod, else KUBECONFIG, else ~/.kube/config.

        Raises:
            KubeError: there is none of them.

        """
        try:
            config = KubeConfig.from_env().get()
        except (ConfigError, OSError) as error:
            raise KubeError(Failure.UNAUTHORIZED, f"no way to a cluster: {error}") from None
        if config is None:
            raise KubeError(Failure.UNAUTHORIZED, "the kubeconfig has no current context")
        http = AsyncClient(config, ConnectionParams(timeout=httpx2.Timeout(TIMEOUT_SECONDS)))
        return cls(http)

    async def close(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def get(
        self,
        api_version: str,
        plural: str,
        namespace: str | None,
        name: str,
        *,
        seconds: float | None = None,
    ) -> Object | None:
        """Return an object; None when there is none."""
        where = path(api_version, plural, namespace, name)
        try:
            found: Object = await self.request("GET", where, seconds=seconds)
        except KubeError as error:
            if error.reason is Failure.NOT_FOUND:
                return None
            raise
        return found

    async def list(
        self,
        api_version: str,
        plural: str,
        namespace: str | None = None,
        labels: Mapping[str, str] | None = None,
        *,
        seconds: float | None = None,
    ) -> list[Object]:
        """Return all objects, of one namespace or of all, page by page.

        Items of a list carry no apiVersion and kind.
        """
        params = {"limit": str(_PAGE)}
        if labels:
            params["labelSelector"] = ",".join(f"{k}={v}" for k, v in sorted(labels.items()))
        found: list[Object] = []
        while True:
            where = path(api_version, plural, namespace)
            page = await self.request("GET", where, params, seconds=seconds)
            found += page.get("items") or []
            more = page.get("metadata", {}).get("continue")
            if not more:
                return found
            params["continue"] = more

    async def metadata(
        self, api_version: str, plural: str, namespace: str | None = None
    ) -> AsyncIterator[Metadata]:
        """Yield what all objects are called, of one namespace or of all; their content stays."""
        params = {"limit": str(_PAGE)}
        where = path(api_version, plural, namespace)
        while True:
            page: PartialList = await self.request(
                "GET", where, params, accept=PARTIAL_LIST, form=PartialList
            )
            for it in page.items or ():
                yield it.metadata
            if not page.metadata.next_page:
                return
            params["continue"] = page.metadata.next_page

    async def may_list(self, api_version: str, plural: str, namespace: str | None) -> None:
        """Return if a kind may be listed.

        Raises:
            KubeError: it may not, or that is not known.

        """
        where = path(api_version, plural, namespace)
        await self.request("GET", where, {"limit": "1"}, accept=PARTIAL_LIST, form=PartialList)

    async def apply(
        self,
        plural: str,
        wanted: Object,
        *,
        manager: str,
        subresource: str | None = None,
        seconds: float | None = None,
    ) -> Object:
        """Server-side apply: take the fields that are given, leave all others to their owners."""
        metadata = wanted["metadata"]
        applied: Object = await self.request(
            "PATCH",
            path(
                wanted["apiVersion"],
                plural,
                metadata.get("namespace"),
                metadata["name"],
                subresource,
            ),
            {"fieldManager": manager, "force": "true"},
            wanted,
            content_type=_APPLY,
            seconds=seconds,
        )
        return applied

    async def delete(  # noqa: PLR0913  what names an object, and how long it may take
        self,
        api_version: str,
        plural: str,
        namespace: str | None,
        name: str,
        uid: str,
        *,
        seconds: float | None = None,
    ) -> None:
        """Delete the object that has this uid; that it is gone already, or another, is well."""
        options = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "preconditions": {"uid": uid},
            "propagationPolicy": "Background",
        }
        try:
            where = path(api_version, plural, namespace, name)
            await self.request("DELETE", where, body=options, seconds=seconds)
        except KubeError as error:
            if error.reason not in {Failure.NOT_FOUND, Failure.CONFLICT}:
                raise

    async def serves(self, api_version: str) -> frozenset[str]:
        """Return the plurals that the server has of a group and version now; none if absent.

        That it is absent is what the list of groups says: a 404 may come from anywhere. While a
        kind comes or goes the two may differ for a moment.
        """
        for pause in (*_BACKOFF_SECONDS, None):
            groups = await self.request("GET", "/apis")
            if groups.get("kind") != "APIGroupList":
                raise KubeError(Failure.REFUSED, "GET /apis: the answer is no list of groups")
            versions = (it for group in groups["groups"] for it in group["versions"])
            if api_version not in {it["groupVersion"] for it in versions}:
                break
            try:
                found = await self.request("GET", f"/apis/{api_version}")
            except KubeError as error:
                if pause is None or error.status != HTTPStatus.NOT_FOUND:
                    raise
                await asyncio.sleep(pause)
            else:
                return frozenset(resource["name"] for resource in found.get("resources") or [])
        return frozenset()

    async def request(  # noqa: PLR0913  what HTTP is made of
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None = None,
        body: Object | None = None,
        *,
        content_type: str = _JSON,
        accept: str = _JSON,
        form: Any = Any,
        tries: int = _TRIES,
        seconds: float | None = None,
    ) -> Any:
        """Call, and call again while the server is busy or away; return the decoded answer.

        Args:
            method: HTTP's.
            url: the path.
            params: of the query.
            body: is sent as JSON.
            content_type: of the body.
            accept: the types that the answer may have.
            form: what the answer is decoded to.
            tries: how often it is called at most.
            seconds: how long one call may take. The API server is told, so that it is the one to
                give up and to say what it has waited for. An answer to a write is final then.

        Raises:
            KubeError: the answer was a failure, or none came.

        """
        what = f"{method} {url}"
        content = None if body is None else json.encode(body)
        headers = {"Accept": accept} | ({} if body is None else {"Content-Type": content_type})
        patience = TIMEOUT_SECONDS
        if seconds is not None:
            params = {**(params or {}), "timeout": f"{round(seconds * 1000)}ms"}
            patience = seconds + _GRACE_SECONDS
        began = time.monotonic()
        for attempt in range(tries):
            try:
                answer = await self._http.request(
                    method, url, params=params, content=content, headers=headers, timeout=patience
                )
            except httpx2.HTTPError as error:
                if attempt == tries - 1 or _late(began):
                    lost = not isinstance(error, httpx2.ReadTimeout)
                    text = f"{what}: {named(error)}"
                    raise KubeError(Failure.UNAVAILABLE, text, lost=lost) from None
                await asyncio.sleep(_BACKOFF_SECONDS[attempt])
                continue
            final = seconds is not None and method != "GET"
            last = final or attempt == tries - 1 or _late(began)
            if answer.is_success:
                return decoded(answer.content, what, form)
            wait = asked(answer.headers.get("Retry-After"), _BACKOFF_SECONDS[min(attempt, 2)])
            if last or not transient(answer.status_code) or wait > _PATIENCE_SECONDS:
                raise from_answer(answer.status_code, told(answer), what)
            log.debug("%s answered %d; again in %g s", what, answer.status_code, wait)
            await asyncio.sleep(wait)
        raise AssertionError("unreachable")

    async def lines(self, url: str, params: Mapping[str, str]) -> AsyncIterator[bytes]:
        """Yield the lines of an answer as they come, for as long as the server goes on.

        Raises:
            KubeError: the answer was a failure, or it broke off.

        """
        what = f"GET {url}"
        patient = httpx2.Timeout(TIMEOUT_SECONDS, read=None)
        rest = b""
        try:
            async with self._http.stream("GET", url, params=params, timeout=patient) as answer:
                if not answer.is_success:
                    await answer.aread()
                    raise from_answer(answer.status_code, told(answer), what)
                async for chunk in answer.aiter_bytes():
                    *lines, rest = (rest + chunk).split(b"\n")
                    for line in lines:
                        yield line
        except httpx2.HTTPError as error:
            raise KubeError(Failure.UNAVAILABLE, f"{what}: {named(error)}") from None
        if rest:
            yield rest


def _late(began: float) -> bool:
    """Whether too much time has gone by to try again in place."""
    return time.monotonic() - began > _AGAIN_SECONDS
