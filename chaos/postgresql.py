"""PostgreSQL as the tests need it: one whose data outlive its pod, and a pair with a replica."""

from typing import Final

from chaos import nodes
from chaos.ledger import QUERY, Row, stored
from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import Namespace
from tests.helpers.cluster.postgresql import PASSWORD, PORT, container, url
from tests.helpers.cluster.workloads import service, workload

_FOLDER: Final = "/var/lib/orders-chaos"
_CONNECTIONS: Final = 300
"""A pod takes eight; with the usual hundred, a rollout beside two other services has too few."""
_DATA: Final = "/var/lib/postgresql/data"


class Database:
    """A database on a server that runs in a pod."""

    def __init__(self, namespace: Namespace, pod: str, name: str, user: str = "postgres") -> None:
        """Keep where it is: the pod's name, the database's, and a role that may do all there."""
        self._namespace = namespace
        self._where = pod
        self._options = ["--username", user, "--dbname", name, "-XAtq"]

    def sql(self, statement: str) -> str:
        """Run a statement; return what it gives, unaligned."""
        command = ["exec", self._where, "--container=postgresql", "--", "psql", *self._options]
        return self._namespace.kubectl(*command, "--command", statement).strip()

    def empty(self) -> None:
        """Delete every order."""
        self.sql("TRUNCATE orders, order_keys")

    def orders(self) -> list[Row]:
        """Return every order."""
        return stored(self.sql(f"COPY ({QUERY}) TO STDOUT (FORMAT csv)"))


class Server:
    """A PostgreSQL in one pod on one node, whose data outlive the pod."""

    def __init__(self, namespace: Namespace, node: str, name: str = "postgresql") -> None:
        """Prepare; `start` makes it."""
        self.name = name
        self.node = node
        self._namespace = namespace
        self._folder = f"{_FOLDER}/{namespace.name}/{name}"
        self._databases = 0

    def start(self) -> None:
        """Return when it takes connections."""
        self._namespace.apply(
            workload("StatefulSet", self.name, self._pod(), serviceName=self.name),
            service(self.name, PORT),
        )
        self.ready()

    def ready(self) -> None:
        """Return when it takes connections."""
        self._namespace.wait(f"statefulset/{self.name}", "jsonpath={.status.readyReplicas}=1", 90)

    def remove(self) -> None:
        """Stop it, and delete its data; its namespace takes the rest along."""
        self.stop()
        nodes.on(self.node, f"rm -rf {self._folder}")

    def make(self) -> tuple[Database, str]:
        """Make an empty database; return it, and its URL."""
        self._databases += 1
        name = f"orders_{self._databases}"
        self.database("postgres").sql(f"CREATE DATABASE {name}")
        return self.database(name), url(f"{self.name}.{self._namespace.name}.svc", name)

    def database(self, name: str) -> Database:
        """Return a database that is there."""
        return Database(self._namespace, f"statefulset/{self.name}", name)

    @property
    def pod(self) -> Object:
        """Return its pod."""
        return self._namespace.get("pod", f"{self.name}-0")

    def kill(self) -> None:
        """Kill the server and its pod at once; another pod comes, on the same data."""
        nodes.kill(self.pod)
        self._namespace.kubectl("delete", "pod", f"{self.name}-0", "--grace-period=0", "--force")

    def stop(self) -> None:
        """Return when it is gone."""
        self._namespace.kubectl("scale", f"statefulset/{self.name}", "--replicas=0")
        self._namespace.wait(f"pod/{self.name}-0", "delete", 60)

    def resume(self) -> None:
        """Have it come back."""
        self._namespace.kubectl("scale", f"statefulset/{self.name}", "--replicas=1")

    def _pod(self) -> Object:
        """Return the pod: the folder of its node is made PostgreSQL's own first."""
        spec = pod_spec({"hostPath": {"path": self._folder, "type": "DirectoryOrCreate"}})
        spec["containers"][0]["args"] = ["postgres", "-c", f"max_connections={_CONNECTIONS}"]
        root = {"runAsUser": 0, "runAsGroup": 0}
        first = {
            "name": "volume-permissions",
            "image": spec["containers"][0]["image"],
            "command": ["chown", "999:999", _DATA],
            "securityContext": root,
            "volumeMounts": spec["containers"][0]["volumeMounts"],
        }
        return spec | {"nodeName": self.node, "initContainers": [first]}


def pod_spec(volume: Object, command: list[str] | None = None) -> Object:
    """Return a pod that runs PostgreSQL on a volume."""
    server = container()
    more = [
        {"name": "PGPASSWORD", "value": PASSWORD},
        {"name": "PGDATA", "value": f"{_DATA}/pgdata"},
    ]
    server |= {
        "env": [*server["env"], *more],
        "securityContext": {"runAsUser": 999, "runAsGroup": 999},
        "volumeMounts": [{"name": "data", "mountPath": _DATA}],
        **({"command": command} if command else {}),
    }
    return {
        "terminationGracePeriodSeconds": 20,
        "enableServiceLinks": False,
        "containers": [server],
        "volumes": [{"name": "data", **volume}],
    }
