"""A PostgreSQL of the tests' own in the cluster: a pod of the official image, without a volume."""

import itertools
from typing import Final

from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import Namespace, run
from tests.helpers.cluster.workloads import service, workload

NAME: Final = "postgresql"
PASSWORD: Final = "made-up"
PORT: Final = 5432


class PostgreSQL:
    """The server, and databases on it."""

    def __init__(self, namespace: str) -> None:
        """Prepare; `start` makes it, in a namespace of its own."""
        self._namespace = Namespace(namespace)
        self._numbers = itertools.count(1)

    def start(self) -> None:
        """Return when it takes connections."""
        run("kubectl", "delete", "namespace", self._namespace.name, "--ignore-not-found")
        run("kubectl", "create", "namespace", self._namespace.name)
        self._namespace.apply(
            workload("Deployment", NAME, {"containers": [container()]}), service(NAME, PORT)
        )
        self._namespace.wait(f"deployment/{NAME}", "condition=Available", 90)

    def remove(self) -> None:
        """Delete it with all it has."""
        run("kubectl", "delete", "namespace", self._namespace.name, "--wait=false")

    def database(self) -> str:
        """Make an empty database; its URL."""
        name = f"orders_{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name}")
        return url(f"{NAME}.{self._namespace.name}.svc:{PORT}", name)

    def sql(self, statement: str, database: str = "postgres") -> str:
        """Run a statement; what it prints."""
        command = [
            "psql",
            "-h",
            "127.0.0.1",
            "-U",
            "postgres",
            "-d",
            database,
            "-XAtqc",
            statement,
        ]
        return self._namespace.kubectl(
            "exec", f"deployment/{NAME}", "--", "env", f"PGPASSWORD={PASSWORD}", *command
        ).strip()

    def refuse(self, place: str) -> None:
        """Have a database refuse connections, and end those that it has."""
        name = place.rpartition("/")[2]
        self.sql(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        self.sql(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"  # noqa: S608  a name of ours
        )

    def psql(self, place: str) -> str:
        """Return a shell command that reads SQL into a database, as `psql URL` does elsewhere."""
        local = place.replace(f"@{NAME}.{self._namespace.name}.svc", "@127.0.0.1")
        return (
            f"kubectl --namespace {self._namespace.name} exec -i deployment/{NAME} -- "
            f"psql -v ON_ERROR_STOP=1 {local}"
        )


def container() -> Object:
    """Return the container of a PostgreSQL whose superuser has the password `PASSWORD`."""
    command = ["pg_isready", "-h", "127.0.0.1", "-U", "postgres"]
    return {
        "name": NAME,
        "image": "postgres:17",
        "imagePullPolicy": "IfNotPresent",
        "env": [{"name": "POSTGRES_PASSWORD", "value": PASSWORD}],
        "readinessProbe": {"exec": {"command": command}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
    }


def url(hosts: str, name: str, user: str = "postgres", password: str = PASSWORD) -> str:
    """Return the URL of a database; several hosts are separated by commas."""
    return f"postgresql://{user}:{password}@{hosts}/{name}"
