"""One reconcile pass over one OrderService: its inputs, and what each step adds."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Final

from msgspec import Struct

from orders_operator.api.status import Autoscaled, RolloutStatus
from orders_operator.objects import Key, Object
from orders_operator.reconcile.apply_cache import ApplyCache
from orders_operator.reconcile.observed import Observed
from orders_operator.reconcile.refusals import Refusals
from orders_operator.resources.auth import ClusterKeys
from orders_operator.resources.database_revision import DatabaseRevision
from orders_operator.resources.references import Reference
from orders_operator.resources.revision import Revision
from orders_operator.rollout.pods import Failure
from orders_operator.rollout.situation import Plan

if TYPE_CHECKING:
    from orders_operator.api.spec import OrderService
    from orders_operator.client.kube import Kube
    from orders_operator.reconcile.analysis import Windows
    from orders_operator.reconcile.children import Children
    from orders_operator.reconcile.cluster_issuer import ClusterIssuer
    from orders_operator.reconcile.discovery import Apis
    from orders_operator.reconcile.index import Index
    from orders_operator.resources.kinds import Kind
    from orders_operator.telemetry.metrics import Metrics

POD: Final = "Pod"


@dataclass(frozen=True)
class Context:
    """What passes share: the cluster, and what is remembered between passes to save work."""

    kube: "Kube"
    kinds: Sequence["Kind"]
    apis: "Apis"
    index: "Index"
    metrics: "Metrics"
    windows: "Windows"
    cache: ApplyCache
    refusals: Refusals
    issuer: "ClusterIssuer"


class Snapshot(Struct, frozen=True, kw_only=True):
    """What was read at the start of a pass.

    Args:
        served: the optional APIs that the cluster has.
        children: the children, which are applied and pruned through it.
        pods: those of the service that have not ended, including terminating ones.
        before: `status.rollout`.
        revisions: the kept ones, by hash: the one that was wanted last first, then the stable
            one; in reverse if the one that was wanted last has failed.
        controllers: the ControllerRevisions, each with the label that names its revision.
        database: the kept revision of an embedded PostgreSQL.
        database_pods: its pods while it does not serve.
        contents: the Secrets and ConfigMaps that the spec, revisions in use and pods name; None
            for one that does not exist or could not be read.
        unknown: the kinds, `Pod` among them, whose list failed.
        cluster: the keys of the cluster's ServiceAccounts; None if not needed, or unknown.

    """

    served: frozenset[str]
    children: "Children"
    pods: tuple[Object, ...]
    before: RolloutStatus
    revisions: Mapping[str, Revision]
    controllers: tuple[Object, ...]
    database: DatabaseRevision | None
    database_pods: tuple[Object, ...]
    contents: dict[Reference, Object | None]
    unknown: frozenset[str]
    cluster: ClusterKeys | None


class Choice(Struct, frozen=True, kw_only=True):
    """The revision that is wanted, and whether it can be begun.

    Args:
        wanted: the one that is declared now.
        going: the one that the rollout is about: the wanted one, or the one before it while
            something is missing; None if the rollout must not be touched.
        missing: one message for each thing that the wanted one reads and that is missing.
        password: the embedded database's Secret; None if there is none, or it could not be made.

    """

    wanted: Revision
    going: Revision | None
    missing: tuple[str, ...] = ()
    password: Object | None = None


@dataclass
class Pass:
    """One pass: read, choose, plan, apply, prune, observe, report, in this order."""

    context: Context
    service: "OrderService"
    resource: Object
    now: datetime
    invalid: str | None = None
    """Why the spec cannot be read; then `service` has only its legible parts. None if it can."""
    failures: list[Failure] = field(default_factory=list)
    again: float | None = None
    """Seconds until the next pass, if nothing happens before."""

    autoscaled: Autoscaled | None = None
    """The `status.autoscaled` to write; `service` already has the replicas that follow from it."""

    answers: Mapping[str, str] = field(default_factory=dict)
    """The answers of late pods to `/readyz`, by their uid."""

    snapshot: Snapshot = field(init=False)
    choice: Choice = field(init=False)
    plan: Plan | None = field(init=False)
    in_use: tuple[Object, ...] = field(init=False)
    """Pods, and templates of revisions, whose needs stay."""
    observed: Observed = field(init=False)

    @property
    def key(self) -> Key:
        """Return the namespace and name of the OrderService."""
        metadata = self.service.metadata
        return metadata.namespace, metadata.name

    @property
    def known(self) -> dict[str, Revision]:
        """Return the revisions whose templates are known, including the wanted one."""
        return {**self.snapshot.revisions, self.choice.wanted.hash: self.choice.wanted}

    def wake(self, seconds: float | None) -> None:
        """Have the next pass start within this many seconds; None asks for nothing."""
        waits = [wait for wait in (self.again, seconds) if wait is not None]
        self.again = min(waits, default=None)
