"""The namespaces that releases hold for themselves, for an operator of the whole cluster.

One list has the Leases of that name in all namespaces. They are believed like any Lease, so one
that is gone or not renewed still counts until it would have expired.
"""

import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from orders_operator.client.kube import path
from orders_operator.client.lease import API_VERSION, PLURAL, Record, named, release_of

if TYPE_CHECKING:
    from orders_operator.client.kube import Kube

DEADLINE_SECONDS: Final = 10.0


class NamespaceLeases:
    """The Leases of one name in all namespaces."""

    def __init__(
        self,
        api: "Kube",
        name: str,
        release: str,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Prepare to look for releases other than `release`, `NAMESPACE/NAME`."""
        self._api = api
        self._name = name
        self._release = release
        self._clock = clock
        self._records: dict[str, Record] = {}
        self._seen_at: float | None = None

    @property
    def left(self) -> float | None:
        """The seconds for which no other release works outside `held`; None before a list."""
        at = self._seen_at
        return None if at is None else max(0.0, at + DEADLINE_SECONDS - self._clock())

    @property
    def known(self) -> bool:
        """Whether the Leases were listed recently enough."""
        return bool(self.left)

    @property
    def held(self) -> dict[str, str]:
        """The holder of each namespace that another release holds."""
        now = self._clock()
        return {
            namespace: named(record.holder)
            for namespace, record in self._records.items()
            if record.live(now) and release_of(record.holder) != self._release
        }

    async def read(self) -> None:
        """List the Leases.

        Raises:
            KubeError: there is no answer; after 10 s without one, nothing is known.

        """
        asked_at = self._clock()
        # One name, so that the operator needs the right to this name only.
        params = {"fieldSelector": f"metadata.name={self._name}"}
        listed = set()
        answer = await self._api.request("GET", path(API_VERSION, PLURAL), params, tries=1)
        for item in answer.get("items") or []:
            namespace = item["metadata"]["namespace"]
            listed.add(namespace)
            record = self._records.setdefault(namespace, Record())
            record.note(item.get("spec") or {}, asked_at, self._clock())
        now = self._clock()
        for namespace in self._records.keys() - listed:
            if not self._records[namespace].live(now):
                del self._records[namespace]
        self._seen_at = asked_at
