"""The Kubernetes API with plain dicts: get, list, server-side apply, delete, and little else.

lightkube reads the kubeconfig or the service account, and makes the HTTP client with its TLS and
its tokens, which it reads again when they are rotated. Its typed models are not used: an object
here is a dict throughout.
"""

import asyncio
from collections.abc import AsyncIterator, Mapping
from http import HTTPStatus
from typing import Any, Final, Self

import httpx2
from lightkube.config.client_adapter import AsyncClient, ConnectionParams
from lightkube.config.kubeconfig import KubeConfig
from lightkube.core.exceptions import ConfigError
from msgspec import Struct

from orders_operator.client.errors import ErrorReason, KubeError
from orders_operator.client.partial import PARTIAL_LIST, ListMetadata, Metadata, PartialList
from orders_operator.client.transport import BACKOFF_SECONDS, TIMEOUT_SECONDS, Transport
from orders_operator.objects import Object

_PAGE: Final = 250
_APPLY: Final = "application/apply-patch+yaml"  # JSON is YAML
MERGE_PATCH: Final = "application/merge-patch+json"
JSON_PATCH: Final = "application/json-patch+json"


class _Page(Struct, frozen=True):
    """One page of a list of whole objects."""

    metadata: ListMetadata = ListMetadata()
    items: list[Object] | None = None


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


class Kube(Transport):
    """A client with one connection pool to one API server."""

    @classmethod
    def connect(cls) -> Self:
        """Connect with the pod's service account, else KUBECONFIG, else ~/.kube/config.

        Raises:
            KubeError: none of them exists.

        """
        try:
            config = KubeConfig.from_env().get()
        except (ConfigError, OSError) as error:
            raise KubeError(
                ErrorReason.UNAUTHORIZED, (f"no cluster is configured: {error}")
            ) from None
        if config is None:
            raise KubeError(ErrorReason.UNAUTHORIZED, "the kubeconfig has no current context")
        http = AsyncClient(config, ConnectionParams(timeout=httpx2.Timeout(TIMEOUT_SECONDS)))
        return cls(http)

    async def get(
        self,
        api_version: str,
        plural: str,
        namespace: str | None,
        name: str,
        *,
        seconds: float | None = None,
    ) -> Object | None:
        """Return an object; None if it does not exist."""
        where = path(api_version, plural, namespace, name)
        try:
            found: Object = await self.request("GET", where, seconds=seconds)
        except KubeError as error:
            if error.reason is ErrorReason.NOT_FOUND:
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
        where = path(api_version, plural, namespace)
        pages = self._pages(where, labels, form=_Page, seconds=seconds)
        return [item async for page in pages for item in page.items or ()]

    async def metadata(
        self, api_version: str, plural: str, namespace: str | None = None
    ) -> AsyncIterator[Metadata]:
        """Yield the metadata of all objects, of one namespace or of all, without their content."""
        where = path(api_version, plural, namespace)
        async for page in self._pages(where, accept=PARTIAL_LIST, form=PartialList):
            for item in page.items or ():
                yield item.metadata

    async def _pages(
        self, where: str, labels: Mapping[str, str] | None = None, **how: Any
    ) -> AsyncIterator[Any]:
        """Yield the pages of a list."""
        params = {"limit": str(_PAGE)}
        if labels:
            params["labelSelector"] = ",".join(f"{k}={v}" for k, v in sorted(labels.items()))
        while True:
            page = await self.request("GET", where, params, **how)
            yield page
            if not page.metadata.next_page:
                return
            params["continue"] = page.metadata.next_page

    async def may_list(self, api_version: str, plural: str, namespace: str | None) -> None:
        """Return if a kind may be listed.

        Raises:
            KubeError: it may not be listed, or that is unknown.

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
        """Apply an object server-side: own the given fields, leave all others to their owners."""
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
        """Delete the object with this uid; do nothing if it is gone, or another has its name."""
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
            if error.reason not in {ErrorReason.NOT_FOUND, ErrorReason.CONFLICT}:
                raise

    async def serves(self, api_version: str) -> frozenset[str]:
        """Return the plurals that the server has of a group and version now; none if it is absent.

        The list of groups decides whether it is absent: a 404 may come from anywhere. While a kind
        is added or removed, the two may differ for a moment.
        """
        for pause in (*BACKOFF_SECONDS, None):
            groups = await self.request("GET", "/apis")
            if groups.get("kind") != "APIGroupList":
                raise KubeError(
                    ErrorReason.REFUSED, ("GET /apis: the answer is not a list of API groups")
                )
            versions = (version for group in groups["groups"] for version in group["versions"])
            if api_version not in {version["groupVersion"] for version in versions}:
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
