"""A PostgreSQL of the tests' own in the cluster: a pod of the official image, without a volume."""

import itertools
from typing import Final

from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import Namespace, run

_NAME: Final = "postgresql"
_LABELS: Final = {"app": _NAME}
_PASSWORD: Final = "made-up"


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
        self._namespace.apply(_deployment(), _service())
        self._namespace.wait(f"deployment/{_NAME}", "condition=Available", 90)

    def remove(self) -> None:
        """Delete it with all it has."""
        run("kubectl", "delete", "namespace", self._namespace.name, "--wait=false")

    def database(self) -> str:
        """Make an empty database; its URL."""
        name = f"orders_{next(self._numbers)}"
        self.sql(f"CREATE DATABASE {name}")
        host = f"{_NAME}.{self._namespace.name}.svc"
        return f"postgresql://postgres:{_PASSWORD}@{host}:5432/{name}"

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
            "exec", f"deployment/{_NAME}", "--", "env", f"PGPASSWORD={_PASSWORD}", *command
        ).strip()


def _deployment() -> Object:
    command = ["pg_isready", "-h", "127.0.0.1", "-U", "postgres"]
    container = {
        "name": _NAME,
        "image": "postgres:17",
        "imagePullPolicy": "IfNotPresent",
        "env": [{"name": "POSTGRES_PASSWORD", "value": _PASSWORD}],
        "readinessProbe": {"exec": {"command": command}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "50m", "memory": "128Mi"}},
    }
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": _NAME},
        "spec": {
            "selector": {"matchLabels": _LABELS},
            "template": {"metadata": {"labels": _LABELS}, "spec": {"containers": [container]}},
        },
    }


def _service() -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": _NAME},
        "spec": {"selector": _LABELS, "ports": [{"port": 5432}]},
    }
