"""The load on a service, from a pod in the cluster: `orders-operator load`, driven from here.

The pod keeps the ledger and the report. Both are read through the API server; while that is away
the load continues unobserved.
"""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from msgspec import json

from chaos.ledger import Row
from orders_operator.load.report import Report
from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import CommandError, Namespace
from tools.release.names import names

IMAGE: Final = names().image("operator")
PORT: Final = 9000
TOKEN_FILE: Final = "/etc/orders/token/token"
CA_FILE: Final = "/etc/orders/ca/ca.crt"
_POLL: Final = 0.5


class Identity(NamedTuple):
    """As whom a load calls, and whom it trusts: then it speaks TLS.

    `account` is a ServiceAccount, of which the pod has a projected token; `authority` is a Secret
    with the authority of the service's certificate.
    """

    account: str
    authority: str


class Load:
    """A load that runs; its pod is on a node that the disruption leaves alone."""

    def __init__(self, namespace: Namespace, name: str, how: str, lead: float) -> None:
        """Keep where it runs, what it does in words, and how long it goes on before its end."""
        self._how = how
        self._lead = lead
        self._namespace = namespace
        self._name = name
        self._path = f"/api/v1/namespaces/{namespace.name}/pods/{name}:{PORT}/proxy"
        self._ended: Report | None = None

    def report(self) -> Report:
        """Return how it goes; how it went, once it was stopped."""
        if self._ended is not None:
            return self._ended
        told = self._namespace.kubectl("get", "--raw", f"{self._path}/report")
        return json.decode(told, type=Report)

    def ledger(self) -> list[Row]:
        """Return every order that was acknowledged, and each that nobody knows of."""
        told = self._namespace.kubectl("get", "--raw", f"{self._path}/ledger")
        lines = (json.decode(line) for line in told.splitlines() if line)
        return [Row(it["id"], it["item"], it["quantity"], it["key"]) for it in lines]

    def go_on(self, seconds: float) -> None:
        """Let it run for so long."""
        time.sleep(seconds)

    @property
    def told(self) -> str:
        """Describe the load."""
        report = self.report()
        length = report.seconds[-1].at if report.seconds else 0
        return f"{self._how}, for {length:.0f} s"

    def reach(self, requests: int) -> None:
        """Let it run until it has made a number of requests."""
        while self.report().requests < requests:
            time.sleep(_POLL)

    def stop(self) -> Report:
        """Go on for a while, then send nothing more; return how it went, to the last answer."""
        if self._ended is None:
            self.go_on(self._lead)
            self._namespace.kubectl("create", "--raw", f"{self._path}/stop", "-f", "-", text="")
            self._namespace.until(lambda: self.report().ended_at, 60, "the load has ended")
            self._ended = self.report()
        return self._ended


@contextmanager
def load(  # noqa: PLR0913  a load has many sides
    namespace: Namespace,
    url: str,
    *,
    name: str,
    rate: float,
    node: str | None = None,
    identity: Identity | None = None,
    reads: float = 0.5,
    retries: int = 0,
    timeout: float = 10,
    watch: tuple[str, ...] = (),
    first: int = 20,
    lead: float = 0,
) -> Iterator[Load]:
    """Run a load; it serves once the first orders are placed, and ends with the block.

    Args:
        namespace: where its pod is.
        url: of the service.
        name: of the pod.
        rate: requests a second, whatever the answers do.
        node: of the pod; any one if it is None.
        identity: as whom it calls; as nobody if it is None.
        reads: the share of them that read an order placed before.
        retries: how often a request that failed is tried again, with the same key.
        timeout: seconds after which a request without an answer has failed.
        watch: URLs that are asked for all the time beside it.
        first: how many requests must succeed before the block begins.
        lead: seconds that it goes on once it is told to stop.

    """
    arguments = ["load", "--url", url, "--rate", f"{rate:g}", "--reads", f"{reads:g}"]
    arguments += ["--retries", str(retries), "--timeout", f"{timeout:g}s"]
    arguments += ["--duration", "none", "--listen", f"0.0.0.0:{PORT}"]
    arguments += [part for it in watch for part in ("--watch", it)]
    if identity is not None:
        arguments += ["--token-file", TOKEN_FILE, "--ca-file", CA_FILE]
    namespace.apply(_pod(name, node, identity, arguments))
    try:
        namespace.wait(f"pod/{name}", "condition=Ready", 60)
        running = Load(namespace, name, _told(rate, reads, retries), lead)
        namespace.until(lambda: running.report().succeeded >= first, 30, "orders are placed")
        yield running
        running.stop()
    except CommandError as error:
        raise CommandError(f"{error}\n{_log(namespace, name)}") from None
    finally:
        namespace.kubectl("delete", "pod", name, "--wait=false")


def _told(rate: float, reads: float, retries: int) -> str:
    again = f", each tried again up to {retries} times" if retries else ""
    return f"{rate:,.0f} requests a second, {reads:.0%} of them reads{again}"


def _log(namespace: Namespace, name: str) -> str:
    return namespace.kubectl("logs", name, "--tail=20")


def _pod(name: str, node: str | None, identity: Identity | None, arguments: list[str]) -> Object:
    container: Object = {
        "name": "load",
        "image": IMAGE,
        "imagePullPolicy": "IfNotPresent",
        "args": arguments,
        "securityContext": {"allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}},
        "readinessProbe": {"httpGet": {"path": "/healthz", "port": PORT}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "100m", "memory": "64Mi"}},
    }
    spec: Object = {
        "nodeName": node,
        "restartPolicy": "Never",
        "terminationGracePeriodSeconds": 5,
        "enableServiceLinks": False,
        "securityContext": {
            "runAsNonRoot": True,
            "runAsUser": 65532,
            "seccompProfile": {"type": "RuntimeDefault"},
        },
        "containers": [container],
    }
    if identity is not None:
        spec["serviceAccountName"] = identity.account
        spec["volumes"] = _identify(identity)
        container["volumeMounts"] = [
            {"name": "token", "mountPath": str(Path(TOKEN_FILE).parent)},
            {"name": "ca", "mountPath": str(Path(CA_FILE).parent)},
        ]
    return {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": name}, "spec": spec}


def _identify(identity: Identity) -> list[Object]:
    token = {"audience": "orders", "expirationSeconds": 600, "path": Path(TOKEN_FILE).name}
    authority = Path(CA_FILE).name
    items = [{"key": authority, "path": authority}]
    return [
        {"name": "token", "projected": {"sources": [{"serviceAccountToken": token}]}},
        {"name": "ca", "secret": {"secretName": identity.authority, "items": items}},
    ]
