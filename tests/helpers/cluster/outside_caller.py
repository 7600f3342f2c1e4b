"""A caller outside the cluster that places orders without pause, and keeps the ledger."""

import http.client
import json
import tempfile
import threading
from pathlib import Path
from typing import Final, Self

from filelock import FileLock

from tests.helpers.cluster.kubectl import Namespace

HOST: Final = "127.0.0.1"
PORT: Final = 8080
"""Of this machine; kind-config.yaml leads it to NODE_PORT."""
NODE_PORT: Final = 30080
_PER_CONNECTION: Final = 25
_ONE: Final = Path(tempfile.gettempdir(), "orders-e2e-caller.lock")
"""Is held by the one caller that has the port; tests beside it wait for it."""


class Caller:
    """Calls an OrderService through a NodePort, half of the time on a new connection."""

    def __init__(self, namespace: Namespace, service: str) -> None:
        self.failed: list[str] = []
        self.placed: list[str] = []
        self._namespace = namespace
        self._ended = threading.Event()
        self._first = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._service = service
        self._one = FileLock(_ONE)

    def __enter__(self) -> Self:
        """Make the NodePort; return once the first order is placed."""
        self._one.acquire()
        try:
            self._namespace.apply(_node_port(self._service))
            self._thread.start()
            assert self._first.wait(20), f"no order in 20 s: {self.failed[-3:]}"
        except BaseException:
            self.__exit__()
            raise
        self.failed.clear()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop, and wait until the port is closed: it would be under the next caller else."""
        try:
            self._ended.set()
            if self._thread.is_alive():
                self._thread.join(20)
            self._namespace.kubectl("delete", "service", "called", "--ignore-not-found")
            self._namespace.until(lambda: not _answered(), 20, "the NodePort is closed")
        finally:
            self._one.release()

    def more(self, number: int) -> bool:
        """Whether so many orders were placed since; for waiting."""
        return len(self.placed) >= number

    def _run(self) -> None:
        while not self._ended.is_set():
            connection = http.client.HTTPConnection(HOST, PORT, timeout=10)
            try:
                for _ in range(_PER_CONNECTION):
                    if self._ended.is_set() or not self._order(connection):
                        break
            except (OSError, http.client.HTTPException, ValueError) as error:
                self.failed.append(repr(error))
                self._ended.wait(0.05)
            finally:
                connection.close()

    def _order(self, connection: http.client.HTTPConnection) -> bool:
        """Place one order and read it; whether the connection may be used again."""
        body = json.dumps({"item": "e2e", "quantity": 1})
        connection.request("POST", "/orders", body, {"content-type": "application/json"})
        answer = connection.getresponse()
        content = answer.read()
        if answer.status != http.HTTPStatus.CREATED:
            self.failed.append(f"{answer.status} {content[:200]!r}")
            return False
        self.placed.append(json.loads(content)["id"])
        self._first.set()
        self._ended.wait(0.01)
        return answer.getheader("connection") != "close"


def _answered() -> bool:
    """Whether there is still a way through the NodePort."""
    connection = http.client.HTTPConnection(HOST, PORT, timeout=2)
    try:
        connection.request("GET", "/livez")
        connection.getresponse()
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()
    return True


def _node_port(service: str) -> dict[str, object]:
    labels = {
        "app.kubernetes.io/instance": service,
        "app.kubernetes.io/component": "api",
    }
    ports = [{"port": 80, "targetPort": "http", "nodePort": NODE_PORT}]
    return {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "called"},
        "spec": {"type": "NodePort", "selector": labels, "ports": ports},
    }
