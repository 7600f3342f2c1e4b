"""The operator's client, which also notes what it writes."""

from collections.abc import Mapping
from typing import Any

import httpx2

from orders_operator.client.kube import Kube
from orders_operator.objects import Object


class Recording(Kube):
    """A client whose writes tests can count."""

    def __init__(self, http: httpx2.AsyncClient) -> None:
        super().__init__(http)
        self.writes: list[str] = []
        """What was written, whether it changed anything or not."""
        self.changes: list[str] = []
        """Those of the writes after which the object had another version."""
        self._versions: dict[str, str] = {}

    async def request(
        self,
        method: str,
        url: str,
        params: Mapping[str, str] | None = None,
        body: Any = None,
        **how: Any,
    ) -> Any:
        """Make the call, and note it unless it only reads or is refused."""
        answer = await super().request(method, url, params, body, **how)
        if not isinstance(answer, dict):  # metadata alone, of a list
            return answer
        where = url.removesuffix("/status")
        version = (answer.get("metadata") or {}).get("resourceVersion", "")
        if method != "GET":
            self.writes.append(f"{method} {url}")
            if method != "PATCH" or self._versions.get(where) != version:
                self.changes.append(f"{method} {url}")
        self._versions[where] = version
        return answer

    def written(self) -> list[str]:
        """Return what was written since this was asked last."""
        found, self.writes, self.changes = self.writes, [], []
        return found

    def changed(self) -> list[str]:
        """Return what was changed since this was asked last."""
        found, self.writes, self.changes = self.changes, [], []
        return found

    async def create(self, plural: str, wanted: Object, *, namespace: str | None = None) -> Object:
        """Create an object."""
        version = wanted["apiVersion"]
        root = "/apis" if "/" in version else "/api"
        where = "" if namespace is None else f"/namespaces/{namespace}"
        made: Object = await self.request("POST", f"{root}/{version}{where}/{plural}", body=wanted)
        return made

    async def merge(self, url: str, change: Object) -> Object:
        """Change an object, or its status, by a merge patch."""
        kind = "application/merge-patch+json"
        changed: Object = await self.request("PATCH", url, body=change, content_type=kind)
        return changed


def holds(live: Any, wanted: Any) -> bool:
    """Whether an object has what a merge patch would give it; the API server may add to that."""
    if isinstance(wanted, dict):
        mine = live if isinstance(live, dict) else {}
        return all(holds(mine.get(name), value) for name, value in wanted.items())
    if isinstance(wanted, list):
        theirs = live if isinstance(live, list) else []
        return len(theirs) == len(wanted) and all(map(holds, theirs, wanted))
    return bool(live == wanted)
