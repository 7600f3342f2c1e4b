"""kubectl and helm, as a user calls them, against the cluster of the current context."""

import http
import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import yaml

from orders_operator.objects import Object
from tests.helpers.cluster import cluster_api
from tests.helpers.conditions import rolled_out
from tests.helpers.paths import ROOT
from tools.release.names import names

CHART: Final = ROOT / "charts" / "orders"
SAMPLES: Final = ROOT / "k8s" / "samples"
IMAGE: Final = names().image("service")
ABSENT: Final = "localhost:1/orders/service:absent"
"""No registry is there, which is told sooner than by one that lacks it."""
OPERATOR: Final = "orders-operator"
"""The release is `orders`, so this is the operator's Deployment, its Lease and component."""


class CommandError(AssertionError):
    """A command failed; the message has what it said."""


def run(*command: str, text: str | None = None, limit: float = 120) -> str:
    """Run a command; return what it printed.

    Raises:
        CommandError: its status is not 0, or it took longer than `limit` seconds.

    """
    try:
        done = subprocess.run(
            command,
            input=text,
            capture_output=True,
            text=True,
            check=False,
            timeout=limit,
            cwd=ROOT,
        )
    except subprocess.TimeoutExpired as error:
        raise CommandError(f"{' '.join(command)}: no end after {limit:g} s") from error
    if done.returncode != 0:
        raise CommandError(f"{' '.join(command)}: {done.stderr or done.stdout}")
    return done.stdout


def go_module(name: str) -> Path:
    """Return the folder of a Go module `path@version`, which may have manifests of CRDs."""
    told = run("go", "mod", "download", "-json", name, limit=300)
    return Path(json.loads(told)["Dir"])


def restrict(namespace: str) -> None:
    """Have a namespace enforce the restricted Pod Security Standard."""
    label = "pod-security.kubernetes.io/enforce=restricted"
    run("kubectl", "label", "--overwrite", "namespace", namespace, label)


def helm(*arguments: str, limit: float = 180) -> str:
    """Run helm."""
    return run("helm", *arguments, limit=limit)


class Namespace:
    """kubectl in one namespace."""

    def __init__(self, name: str) -> None:
        self.name = name

    def kubectl(self, *arguments: str, text: str | None = None, limit: float = 120) -> str:
        """Run kubectl here."""
        return run("kubectl", "--namespace", self.name, *arguments, text=text, limit=limit)

    def apply(self, *objects: Object) -> None:
        """Apply objects, as `kubectl apply -f` does."""
        self.kubectl("apply", "-f", "-", text=yaml.dump_all(objects))

    def get(self, kind: str, name: str) -> Object:
        """Return an object."""
        return cluster_api.get(self.name, kind, name)

    def every(self, kind: str, labels: str = "") -> list[Object]:
        """Return the objects of a kind, or of some with commas between them."""
        return cluster_api.every(self.name, kind, labels)

    def exists(self, kind: str, name: str) -> bool:
        """Whether there is such an object."""
        try:
            self.get(kind, name)
        except cluster_api.ApiError as error:
            if error.status == http.HTTPStatus.NOT_FOUND:
                return False
            raise
        return True

    def patch(self, kind: str, name: str, change: Object, *more: str) -> None:
        """Change an object by a merge patch."""
        self.kubectl("patch", kind, name, "--type=merge", f"--patch={json.dumps(change)}", *more)

    def wait(self, what: str, condition: str, seconds: float) -> float:
        """Wait for what `kubectl wait --for` waits for; return the seconds it took.

        Raises:
            CommandError: it took longer; the message has the state of things.

        """
        started = time.monotonic()
        try:
            self.kubectl(
                "wait",
                f"--for={condition}",
                what,
                f"--timeout={seconds}s",
                limit=seconds + 20,
            )
        except CommandError as error:
            raise CommandError(f"{error}\n{self.state()}") from None
        return time.monotonic() - started

    def rolled_out(self, name: str, seconds: float) -> float:
        """Wait until what an OrderService declares serves, and nothing else; return the seconds.

        Raises:
            CommandError: it took longer; the message has the state of things.

        """
        return self.until(
            lambda: rolled_out(self.get("orderservice", name)), seconds, f"{name} is rolled out"
        )

    def told(self, name: str, words: str, seconds: float) -> float:
        """Wait until the condition Degraded is True and has these words; return the seconds.

        Raises:
            CommandError: it took longer; the message has the state of things.

        """

        def said() -> bool:
            found = self.condition(name, "Degraded")
            return found.get("status") == "True" and words in found["message"]

        return self.until(said, seconds, f"Degraded says {words!r}")

    def event(self, reason: str, seconds: float = 15) -> Object:
        """Wait for an Event with this reason, and return it; it is told after the status.

        Raises:
            CommandError: it took longer; the message has the state of things.

        """

        def told() -> list[Object]:
            return [it for it in self.every("events") if it["reason"] == reason]

        self.until(told, seconds, f"an Event {reason}")
        return told()[0]

    def until(self, true: Callable[[], Any], seconds: float, what: str) -> float:
        """Ask again until it is true, where there is nothing to watch; return the seconds."""
        started = time.monotonic()
        while not true():
            if time.monotonic() - started > seconds:
                raise CommandError(f"not in {seconds:g} s: {what}\n{self.state()}")
            time.sleep(0.2)
        return time.monotonic() - started

    def state(self) -> str:
        """Tell what is here, for a person who reads why a test failed."""
        texts = []
        for command in (
            ["get", "orderservices,pods", "-o", "wide"],
            ["get", "events", "--sort-by=.lastTimestamp"],
        ):
            try:
                texts.append(self.kubectl(*command))
            except CommandError as error:
                texts.append(str(error))
        return "\n".join(texts)[-6000:]

    def pods(self, service: str) -> list[Object]:
        """Return the pods of an OrderService that are not on their way out."""
        return list(filter(is_staying, self.every_pod(service)))

    def every_pod(self, service: str) -> list[Object]:
        """Return all of them: one on its way out still answers on the connections that it has."""
        return self.every(
            "pods", f"app.kubernetes.io/instance={service},app.kubernetes.io/component=api"
        )

    def replaced(self, service: str, before: set[str], seconds: float) -> float:
        """Wait until pods are gone for good; return the seconds it took."""
        return self.until(
            lambda: not before & uids(self.every_pod(service)), seconds, "the pods before are gone"
        )

    def rollout(self, service: str) -> Object:
        """Return where the rollout of an OrderService is; empty when there is nothing yet."""
        status = self.get("orderservice", service).get("status") or {}
        found: Object = status.get("rollout") or {}
        return found

    def annotate(self, service: str, **commands: str) -> None:
        """Tell a rollout something: promote, abort, pause or retry, and nothing else."""
        said = dict.fromkeys(("promote", "abort", "pause", "retry")) | commands
        change = {f"orders.dev/{name}": value for name, value in said.items()}
        self.patch("orderservice", service, {"metadata": {"annotations": change}})

    def condition(self, service: str, kind: str) -> Object:
        """Return a condition of an OrderService; empty when there is none yet."""
        status = self.get("orderservice", service).get("status") or {}
        return next((it for it in status.get("conditions", ()) if it["type"] == kind), {})


def order_service(name: str, **spec: Any) -> Object:
    """Return an OrderService with one small pod, on the Secret `database`; `spec` replaces."""
    return {
        "apiVersion": "orders.dev/v1alpha1",
        "kind": "OrderService",
        "metadata": {"name": name},
        "spec": {
            "image": IMAGE,
            "database": {"secretRef": {"name": "database"}},
            "replicas": 1,
            "resources": {"requests": {"cpu": "20m", "memory": "48Mi"}},
            "shutdown": {"delay": "1s", "gracePeriod": "10s"},
            **spec,
        },
    }


def secret(name: str, **texts: str) -> Object:
    """Return a Secret."""
    return {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": name}, "stringData": texts}


def is_staying(pod: Object) -> bool:
    """Whether a pod is not on its way out."""
    return not pod["metadata"].get("deletionTimestamp")


def uids(pods: list[Object]) -> set[str]:
    """Return who the pods are."""
    return {pod["metadata"]["uid"] for pod in pods}
