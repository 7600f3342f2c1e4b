"""A second API server, as a pod of the kind cluster, from the images that its own nodes have.

A kube-apiserver with its admission and an etcd, and nothing else: no controller and no scheduler
runs, so that tests say what became of pods and Deployments. Nothing of it outlives its pod.

It is reached at a port of its node, which Linux routes to; a watch ends only when somebody ends
it then. Where nodes are not routed to, `kubectl port-forward` has to do.
"""

import contextlib
import json
import secrets
import socket
import subprocess
import time
from pathlib import Path
from typing import Final

from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import CommandError, Namespace, run
from tests.helpers.ports import free_port

ADMIN: Final = "admin"
OPERATOR: Final = "operator"
"""A user who has no right that a test does not give."""

_NAME: Final = "apiserver"
_PORT: Final = 6443
_KEYS: Final = "/keys"
_START_SECONDS: Final = 90
_ROUTE_SECONDS: Final = 5


class ApiServer:
    """One API server, from its start to its end."""

    def __init__(self, folder: Path) -> None:
        """Prepare; kubeconfigs will be in `folder`, one for each user."""
        self._folder = folder
        self._namespace = Namespace(f"{_NAME}-{secrets.token_hex(3)}")
        self._tokens = {user: secrets.token_hex(16) for user in (ADMIN, OPERATOR)}
        self._forward: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start it, and write the kubeconfigs when it is ready."""
        run("kubectl", "create", "namespace", self._namespace.name)
        self._namespace.apply(*_objects(self._tokens))
        self._namespace.wait(f"pod/{_NAME}", "condition=Ready", _START_SECONDS)
        address = self._routed() or self._forwarded()
        for user, token in self._tokens.items():
            self.kubeconfig(user).write_text(json.dumps(_kubeconfig(address, user, token)))

    def stop(self) -> None:
        """Remove all of it."""
        if self._forward is not None:
            self._forward.terminate()
            self._forward.wait()
        run("kubectl", "delete", "namespace", self._namespace.name, "--wait=false")

    def kubeconfig(self, user: str) -> Path:
        """Return the path of a user's kubeconfig."""
        return self._folder / f"{user}.kubeconfig"

    def _routed(self) -> str | None:
        """Return the address by its node; None when this machine does not route to that."""
        host = self._namespace.get("pod", _NAME)["status"]["hostIP"]
        [port] = self._namespace.get("service", _NAME)["spec"]["ports"]
        end = time.monotonic() + _ROUTE_SECONDS
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                socket.create_connection((host, port["nodePort"]), 1).close()
                return f"{host}:{port['nodePort']}"
            time.sleep(0.2)  # a node opens the port a moment after the Service is made
        return None

    def _forwarded(self) -> str:
        port = free_port()
        where = ("--namespace", self._namespace.name, f"pod/{_NAME}", f"{port}:{_PORT}")
        self._forward = subprocess.Popen(("kubectl", "port-forward", *where))
        end = time.monotonic() + _ROUTE_SECONDS
        while time.monotonic() < end:
            with contextlib.suppress(OSError):
                socket.create_connection(("127.0.0.1", port), 1).close()
                return f"127.0.0.1:{port}"
            time.sleep(0.2)
        raise CommandError("the API server of the tests cannot be reached")


def _objects(tokens: dict[str, str]) -> list[Object]:
    """Return what it is in the cluster: users, pod and port."""
    groups = {ADMIN: "system:masters", OPERATOR: "operators"}
    users = [f"{token},{user},{user},{groups[user]}" for user, token in tokens.items()]
    labels = {"app": _NAME}
    return [
        {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": {"name": _NAME},
            "stringData": {"tokens.csv": "\n".join(users)},
        },
        {
            "apiVersion": "v1",
            "kind": "Service",
            "metadata": {"name": _NAME},
            "spec": {"type": "NodePort", "selector": labels, "ports": [{"port": _PORT}]},
        },
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": _NAME, "labels": labels},
            "spec": _pod(),
        },
    ]


def _pod() -> Object:
    """Return the pod, on the node that surely has the images."""
    control_plane = "node-role.kubernetes.io/control-plane"
    return {
        "nodeSelector": {control_plane: ""},
        "tolerations": [{"key": control_plane, "operator": "Exists"}],
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 1,
        "containers": [
            {
                "name": "etcd",
                "image": _image("etcd"),
                "command": _command(
                    "etcd",
                    data_dir="/data",
                    unsafe_no_fsync="true",
                    listen_client_urls="http://127.0.0.1:2379",
                    advertise_client_urls="http://127.0.0.1:2379",
                    listen_peer_urls="http://127.0.0.1:2380",
                ),
                "volumeMounts": [{"name": "data", "mountPath": "/data"}],
            },
            {
                "name": _NAME,
                "image": _image("kube-apiserver"),
                # It makes its own key when it starts, which signs tokens as well.
                "command": _command(
                    "kube-apiserver",
                    etcd_servers="http://127.0.0.1:2379",
                    secure_port=str(_PORT),
                    cert_dir=_KEYS,
                    token_auth_file="/users/tokens.csv",
                    authorization_mode="RBAC",
                    service_account_issuer="https://kubernetes.default.svc",
                    service_account_key_file=f"{_KEYS}/apiserver.key",
                    service_account_signing_key_file=f"{_KEYS}/apiserver.key",
                    service_cluster_ip_range="10.97.0.0/16",
                    # A list from the cache waits until etcd says that the cache is up to date.
                    watch_cache="false",
                ),
                "readinessProbe": {
                    "httpGet": {"path": "/readyz", "port": _PORT, "scheme": "HTTPS"},
                    "periodSeconds": 1,
                    "failureThreshold": 60,
                },
                "volumeMounts": [
                    {"name": "keys", "mountPath": _KEYS},
                    {"name": "users", "mountPath": "/users"},
                ],
            },
        ],
        "volumes": [
            {"name": "data", "emptyDir": {"medium": "Memory"}},
            {"name": "keys", "emptyDir": {"medium": "Memory"}},
            {"name": "users", "secret": {"secretName": _NAME}},
        ],
    }


def _command(program: str, **options: str) -> list[str]:
    named = {name.replace("_", "-"): value for name, value in options.items()}
    return [program, *(f"--{name}={value}" for name, value in named.items())]


def _image(component: str) -> str:
    """Return the image of a static pod of the control plane."""
    [pod, *_] = Namespace("kube-system").every("pods", f"component={component}")
    image: str = pod["spec"]["containers"][0]["image"]
    return image


def _kubeconfig(address: str, user: str, token: str) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": user,
        "clusters": [
            {
                "name": _NAME,
                # Its certificate is its own, made for names that are not known before.
                "cluster": {"server": f"https://{address}", "insecure-skip-tls-verify": True},
            }
        ],
        "users": [{"name": user, "user": {"token": token}}],
        "contexts": [{"name": user, "context": {"cluster": _NAME, "user": user}}],
    }
