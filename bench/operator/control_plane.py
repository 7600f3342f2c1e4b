"""An etcd and a kube-apiserver of the bench's own, on loopback, from a folder that has both.

`KUBEBUILDER_ASSETS` names the folder, as for controller-runtime's envtest: `setup-envtest use`
downloads one. The API server has its watch cache, like every real one. There are no controllers;
the bench itself does what it needs of their work.
"""

import contextlib
import json
import os
import secrets
import shutil
import ssl
import subprocess
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http import HTTPStatus
from http.client import HTTPException, HTTPSConnection
from pathlib import Path
from typing import Final

from bench import paths
from bench.database import free_port
from bench.process import stop

_START_SECONDS: Final = 60.0
STOP_SECONDS: Final = 20.0
_QUOTA_BYTES: Final = 8 << 30
_USER: Final = "bench"


class ControlPlaneError(Exception):
    """The control plane cannot be had."""


@contextmanager
def control_plane() -> Iterator[Path]:
    """Run one that is empty; yield the kubeconfig of its administrator.

    Raises:
        ControlPlaneError: there are no programs, or they do not start.

    """
    folder = Path(os.environ.get("KUBEBUILDER_ASSETS", ""))
    for program in ("etcd", "kube-apiserver"):
        if not os.access(folder / program, os.X_OK) or not folder.is_absolute():
            raise ControlPlaneError(
                f"KUBEBUILDER_ASSETS is {str(folder)!r}; it has to be the path of a folder with"
                " etcd and kube-apiserver, as `setup-envtest use --print path` gives it"
            )
    home = paths.CACHE / "control-plane"
    shutil.rmtree(home, ignore_errors=True)
    (home / "keys").mkdir(parents=True)
    token = secrets.token_hex(16)
    users = home / "tokens.csv"
    users.write_text(f"{token},{_USER},{_USER},system:masters\n")
    users.chmod(0o600)
    port = free_port()
    kubeconfig = home / "kubeconfig"
    kubeconfig.write_text(json.dumps(_kubeconfig(f"https://127.0.0.1:{port}", token)))
    kubeconfig.chmod(0o600)
    with ExitStack() as stack:
        etcd = f"http://127.0.0.1:{free_port()}"
        stack.enter_context(_run(home, [str(folder / "etcd"), *_etcd(home, etcd)]))
        command = [str(folder / "kube-apiserver"), *_apiserver(home, etcd, port, users)]
        running = stack.enter_context(_run(home, command))
        _wait(running, port)
        yield kubeconfig
    shutil.rmtree(home, ignore_errors=True)


def version() -> str:
    """Return the release of the API server."""
    program = Path(os.environ["KUBEBUILDER_ASSETS"]) / "kube-apiserver"
    done = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)
    return done.stdout.split()[-1].removeprefix("v")


@contextmanager
def _run(home: Path, command: list[str]) -> Iterator[subprocess.Popen[bytes]]:
    name = Path(command[0]).name
    with (home / f"{name}.log").open("wb") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            yield process
        finally:
            stop(process, STOP_SECONDS)


def _wait(process: subprocess.Popen[bytes], port: int) -> None:
    unchecked = ssl.create_default_context()
    unchecked.check_hostname = False
    unchecked.verify_mode = ssl.CERT_NONE  # the server makes its own certificate when it starts
    end = time.monotonic() + _START_SECONDS
    while process.poll() is None and time.monotonic() < end:
        asked = HTTPSConnection("127.0.0.1", port, timeout=2, context=unchecked)
        with contextlib.suppress(OSError, HTTPException):
            asked.request("GET", "/readyz")
            if asked.getresponse().status == HTTPStatus.OK:
                return
        asked.close()
        time.sleep(0.2)
    raise ControlPlaneError("the API server did not become ready; its log is beside etcd's data")


def _etcd(home: Path, address: str) -> list[str]:
    return [
        f"--data-dir={home / 'data'}",
        f"--listen-client-urls={address}",
        f"--advertise-client-urls={address}",
        f"--listen-peer-urls=http://127.0.0.1:{free_port()}",
        f"--quota-backend-bytes={_QUOTA_BYTES}",
        "--unsafe-no-fsync=true",
    ]


def _apiserver(home: Path, etcd: str, port: int, users: Path) -> list[str]:
    keys = home / "keys"
    return [
        f"--etcd-servers={etcd}",
        "--bind-address=127.0.0.1",
        f"--secure-port={port}",
        f"--cert-dir={keys}",
        f"--token-auth-file={users}",
        "--authorization-mode=RBAC",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={keys / 'apiserver.key'}",
        f"--service-account-signing-key-file={keys / 'apiserver.key'}",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--endpoint-reconciler-type=none",
        # No controller gives a namespace the ServiceAccount that a pod would need.
        "--disable-admission-plugins=ServiceAccount",
    ]


def _kubeconfig(server: str, token: str) -> dict[str, object]:
    return {
        "apiVersion": "v1",
        "kind": "Config",
        "current-context": _USER,
        "clusters": [
            {"name": _USER, "cluster": {"server": server, "insecure-skip-tls-verify": True}}
        ],
        "users": [{"name": _USER, "user": {"token": token}}],
        "contexts": [{"name": _USER, "context": {"cluster": _USER, "user": _USER}}],
    }
