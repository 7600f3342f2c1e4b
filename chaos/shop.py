"""An OrderService under test: its pods, its database, and the loads on it."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from chaos.experiment import Experiment
from chaos.ledger import Row, compare
from chaos.load import Load, load
from chaos.postgresql import Database
from chaos.sizes import Size
from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import Namespace, is_staying, uids

_ROLLED = "jsonpath={.status.conditions[?(@.type=='Progressing')].reason}=RolledOut"


class Shop:
    """An OrderService that serves."""

    def __init__(
        self, namespace: Namespace, name: str, database: Database, node: str, size: Size
    ) -> None:
        """Keep what belongs to it; loads run on the node."""
        self.namespace = namespace
        self.name = name
        self.database = database
        self.left: list[Row] = []
        """The orders in a database that it left during a load."""
        self.beside: list[Row] = []
        """What another load beside that one was told of its orders."""
        self.node = node
        self.size = size
        self.url = f"http://{name}.{namespace.name}.svc"

    @contextmanager
    def load(self, it: Experiment, **how: Any) -> Iterator[Load]:
        """Load it, some seconds before and after what the block does; compare ledger and database.

        How it went is the experiment's, and that nothing was lost is expected; whether requests
        may fail is for the test to say.
        """
        self.database.empty()
        self.left, self.beside = [], []
        usual: dict[str, Any] = {
            "name": f"load-{it.key}",
            "url": self.url,
            "rate": self.size.rate,
            "node": self.node,
            "lead": self.size.lead,
        }
        with load(self.namespace, **usual | how) as running:
            running.go_on(self.size.lead)
            yield running
            it.loaded(running.stop(), running.told)
            told = [*running.ledger(), *self.beside]
            it.kept(compare(told, [*self.left, *self.database.orders()]))

    def change(self, **spec: Any) -> None:
        """Change fields of its spec."""
        self.namespace.patch("orderservice", self.name, {"spec": spec})

    def pods(self) -> list[Object]:
        """Return its pods, but for those on their way out."""
        return self.namespace.pods(self.name)

    def scaled(self, pods: int, seconds: float = 90) -> None:
        """Return when there is this number of pods, none is terminating, and all serve."""
        deployment = f"deployment/{self.name}"
        self.namespace.wait(deployment, f"jsonpath={{.status.readyReplicas}}={pods}", seconds)
        self.namespace.until(lambda: self._number() == pods, seconds, f"{pods} pods are left")

    def rolled(self, before: list[Object], seconds: float = 180) -> None:
        """Return when each of the pods before was replaced and is gone, and all serve."""
        self.namespace.replaced(self.name, uids(before), seconds)
        self.namespace.wait(f"orderservice/{self.name}", _ROLLED, 60)
        self.ready()

    def drained(self, seconds: float = 90) -> None:
        """Return when no pod is terminating; until then, such a pod still serves."""
        self.namespace.until(
            lambda: all(map(is_staying, self.namespace.every_pod(self.name))),
            seconds,
            "no pod is on its way out",
        )

    def ready(self, seconds: float = 90) -> None:
        """Return when the declared state serves."""
        self.namespace.rolled_out(self.name, seconds)

    def addresses(self, path: str, port: int = 8000) -> tuple[str, ...]:
        """Return a URL of each pod."""
        return tuple(f"http://{it['status']['podIP']}:{port}{path}" for it in self.pods())

    def restarts(self) -> int:
        """Return how often containers of its pods were started again."""
        return sum(
            it["restartCount"]
            for pod in self.pods()
            for it in pod["status"].get("containerStatuses", ())
        )

    def _number(self) -> int:
        """Return how many pods there are, those on their way out as well."""
        return len(self.namespace.every_pod(self.name))
