"""The optional APIs that the cluster serves, by discovery, asked again after ten seconds."""

import time
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Final

from orders_operator.client.errors import KubeError

if TYPE_CHECKING:
    from orders_operator.client.kube import Kube
    from orders_operator.resources.kinds import Kind

MAX_AGE_SECONDS: Final = 10.0


class Apis:
    """The optional APIs; an answer of the API server counts for ten seconds."""

    def __init__(
        self,
        kube: "Kube",
        kinds: Iterable["Kind"],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Ask only about the optional ones among these kinds."""
        self._kube = kube
        self._wanted: dict[str, set[str]] = {}
        for kind in kinds:
            if kind.optional:
                self._wanted.setdefault(kind.api_version, set()).add(kind.plural)
        self._clock = clock
        self._served: frozenset[str] = frozenset()
        self._asked_at: float | None = None
        self._known = False

    async def served(self) -> frozenset[str]:
        """Return the groups and versions that serve every kind that is needed.

        If the API server cannot say so now but did before, return the earlier answer.

        Raises:
            KubeError: the API server is away, or has never answered this.

        """
        now = self._clock()
        if self._asked_at is not None and now - self._asked_at < MAX_AGE_SECONDS:
            return self._served
        try:
            self._served, self._asked_at = await self._ask(), now
        except KubeError as error:
            if error.lost or not self._known:
                raise
            self._asked_at = now
        self._known = True
        return self._served

    async def _ask(self) -> frozenset[str]:
        found = set()
        for api_version, plurals in self._wanted.items():
            if plurals <= await self._kube.serves(api_version):
                found.add(api_version)
        return frozenset(found)

    def doubt(self) -> None:
        """Ask again the next time, because a list failed that an answer made possible."""
        self._asked_at = None
