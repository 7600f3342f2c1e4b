"""Decides where this release works, so that two releases never work on one OrderService.

The operator of a whole cluster claims one Lease in the namespace `default`, and leaves out every
namespace that another release holds. The operator of some namespaces claims a Lease in each, and
works where it holds that. It has no rights outside of them, so it cannot know whether a release
for the whole cluster works there as well. That other release sees the new Lease within
`namespace_leases.DEADLINE_SECONDS`, or stops, and then ends what it has begun within
`gate.ENDING_SECONDS`. The grace is longer than both together.
"""

import asyncio
import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Final

from orders_operator.client.claim import Claim
from orders_operator.client.errors import KubeError
from orders_operator.client.lease import Lease
from orders_operator.client.namespace_leases import NamespaceLeases
from orders_operator.tasks import first

if TYPE_CHECKING:
    from collections.abc import Coroutine, Mapping

    from orders_operator.client.kube import Kube
    from orders_operator.settings import Settings
    from orders_operator.telemetry.metrics import Metrics

CLUSTER_LEASE: Final = "cluster.orders.dev"
CLUSTER_LEASE_NAMESPACE: Final = "default"
NAMESPACE_LEASE: Final = "namespace.orders.dev"
GRACE_SECONDS: Final = 15.0
LIST_SECONDS: Final = 2.0
"""How often the Leases of all namespaces are listed."""
_TICK_SECONDS: Final = 0.05

log = logging.getLogger("orders_operator.scopes")


class Scope(ABC):
    """The namespaces in which this process works, once it leads its release."""

    def __init__(self, claims: "Mapping[str, Claim]", metrics: "Metrics") -> None:
        """Keep the claims, by the names of their places."""
        self._claims = claims
        self._metrics = metrics
        self._leads = asyncio.Event()
        self._told: object = None
        self._lost = asyncio.Event()
        self.changed = asyncio.Event()
        """Set once the answers have changed; then another event takes its place."""

    @property
    @abstractmethod
    def namespaces(self) -> tuple[str, ...] | None:
        """The namespaces to watch, empty for the whole cluster; None while nothing is held."""

    @property
    @abstractmethod
    def left_out(self) -> dict[str, str]:
        """The holder of each of these namespaces in which another release works."""

    @abstractmethod
    def works(self, namespace: str) -> bool:
        """Whether this process works in a namespace now."""

    @property
    def conflicts(self) -> dict[str, str]:
        """The holder of each Lease that this release should hold and another one holds."""
        claims = self._claims.values()
        return {str(claim.lease): claim.other for claim in claims if claim.other is not None}

    def unready(self) -> str | None:
        """Return why this release cannot work, or not in all its namespaces; None if it can."""
        for place, claim in self._claims.items():
            if claim.other is not None:
                return f"{claim.other} works in {place}: it holds the Lease {claim.lease}"
        errors = [claim.error for claim in self._claims.values()]
        return None if None in errors else errors[0]

    def lead(self) -> None:
        """Begin to claim: this process now leads its release."""
        self._leads.set()

    async def run(self) -> None:
        """Keep the claims; return once no work that was begun may continue."""
        await first(*self._loops(), self._until_lost())

    async def leave(self) -> None:
        """Leave the claims to the next process of this release, or soon to another release."""
        await asyncio.gather(*(claim.leave() for claim in self._claims.values()))

    async def _until_lost(self) -> None:
        await self._lost.wait()
        log.error("the scope is lost")

    def _loops(self) -> "list[Coroutine[Any, Any, None]]":
        return [claim.run(self._leads, self._tell) for claim in self._claims.values()]

    def _tell(self) -> None:
        """Set `changed` if the answers have changed."""
        self._metrics.conflicts(self.conflicts)
        now = (self.namespaces, self.left_out)
        if now != self._told:
            self._told = now
            changed, self.changed = self.changed, asyncio.Event()
            changed.set()


class NamespacesScope(Scope):
    """Some namespaces, each of which another release may hold."""

    @property
    def namespaces(self) -> tuple[str, ...] | None:
        """The namespaces that are held."""
        return tuple(name for name, claim in self._claims.items() if claim.held) or None

    @property
    def left_out(self) -> dict[str, str]:
        """Always empty: a namespace that is not held is not watched."""
        return {}

    def works(self, namespace: str) -> bool:
        """Whether the namespace is held."""
        claim = self._claims.get(namespace)
        return claim is not None and claim.held


class ClusterScope(Scope):
    """The whole cluster except the namespaces that other releases hold."""

    def __init__(self, claim: Claim, leases: NamespaceLeases, metrics: "Metrics") -> None:
        """Keep the claim, and the view of other releases' Leases."""
        super().__init__({"the whole cluster": claim}, metrics)
        self._claim = claim
        self._leases = leases
        self._error: str | None = None
        self._began = False

    @property
    def namespaces(self) -> tuple[str, ...] | None:
        """Empty, for the whole cluster, or None."""
        return () if self._claim.held and self._leases.known else None

    @property
    def left_out(self) -> dict[str, str]:
        """The namespaces that other releases hold, while this one works in the cluster."""
        return {} if self.namespaces is None else self._leases.held

    def works(self, namespace: str) -> bool:
        """Whether this process works and no other release holds the namespace."""
        return self.namespaces is not None and namespace not in self.left_out

    def unready(self) -> str | None:
        """Return also why the namespaces of other releases are unknown."""
        return super().unready() or self._error

    def _loops(self) -> "list[Coroutine[Any, Any, None]]":
        return [*super()._loops(), self._list()]

    async def _list(self) -> None:
        await self._leads.wait()
        while True:
            await self._look()
            self._tell()
            left = self._leases.left or LIST_SECONDS
            await asyncio.sleep(max(_TICK_SECONDS, min(LIST_SECONDS, left)))

    async def _look(self) -> None:
        error: str | None = None
        try:
            async with asyncio.timeout(self._leases.left or LIST_SECONDS):
                await self._leases.read()
        except TimeoutError:
            error = "no answer in time"
        except KubeError as refused:
            error = str(refused)
        if error is not None:
            error = f"the Leases {NAMESPACE_LEASE} of all namespaces cannot be listed: {error}"
            if error != self._error:
                log.warning("%s", error)
        self._error = error

    def _tell(self) -> None:
        """Give up the scope if it is lost after work began: other releases may have begun work."""
        if self.namespaces is not None:
            self._began = True
        elif self._began:
            self._lost.set()
        super()._tell()


def scope_of(
    kube: "Kube",
    settings: "Settings",
    metrics: "Metrics",
    clock: Callable[[], float] = time.monotonic,
) -> Scope:
    """Return the scope of a process with these settings."""
    release = f"{settings.pod_namespace}/{settings.lease_name}"
    if not settings.namespaces:
        lease = Lease(kube, CLUSTER_LEASE_NAMESPACE, CLUSTER_LEASE, clock)
        leases = NamespaceLeases(kube, NAMESPACE_LEASE, release, clock)
        claim = Claim(lease, release, settings.pod_name, clock=clock)
        return ClusterScope(claim, leases, metrics)
    claims = {
        namespace: Claim(
            Lease(kube, namespace, NAMESPACE_LEASE, clock),
            release,
            settings.pod_name,
            grace=GRACE_SECONDS,
            clock=clock,
        )
        for namespace in settings.namespaces
    }
    return NamespacesScope(claims, metrics)
