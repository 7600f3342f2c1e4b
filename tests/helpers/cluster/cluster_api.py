"""Reading objects of the cluster of the current context, without a process for each question.

Tests ask again and again until something is so; as a `kubectl get` each of these questions would
cost a tenth of a second of CPU, as much in all as the cluster itself takes. So one `kubectl proxy`
stays open, and is asked over HTTP.
"""

import atexit
import http
import http.client
import json
import subprocess
import threading
from functools import cache
from typing import Final, NamedTuple
from urllib.parse import urlencode

from orders_operator.client.kube import path
from orders_operator.objects import Object

_DISCOVERY: Final = "application/json;v=v2;g=apidiscovery.k8s.io;as=APIGroupDiscoveryList"
_SECONDS: Final = 30
_DISCOVERING: Final = threading.Lock()


class ApiError(AssertionError):
    """The API server did not give what was asked for; the message has what it said."""

    def __init__(self, status: int, said: str) -> None:
        super().__init__(said)
        self.status = status


class _Kind(NamedTuple):
    """What the API server says of a kind."""

    api_version: str
    name: str
    plural: str
    is_namespaced: bool


def get(namespace: str, kind: str, name: str) -> Object:
    """Return an object.

    Args:
        namespace: of the object, if its kind has namespaces.
        kind: as kubectl takes it: plural, singular or short.
        name: of the object.

    Raises:
        ApiError: it cannot be had; with the status 404 there is none.

    """
    return _ask(_path(namespace, _kind(kind), name))


def every(namespace: str, kinds: str, labels: str = "") -> list[Object]:
    """Return the objects of some kinds, which stand with commas between them.

    Raises:
        ApiError: they cannot be had.

    """
    selector = f"?{urlencode({'labelSelector': labels})}" if labels else ""
    found = []
    for kind in map(_kind, kinds.split(",")):
        named = {"apiVersion": kind.api_version, "kind": kind.name}  # lists leave it out
        listed = _ask(_path(namespace, kind) + selector)["items"]
        found += [named | it for it in listed]
    return found


def _path(namespace: str, kind: _Kind, name: str | None = None) -> str:
    within = namespace if kind.is_namespaced else None
    return path(kind.api_version, kind.plural, within, name)


def _kind(name: str) -> _Kind:
    with _DISCOVERING:
        found = _kinds().get(name)
        if found is None:  # it may be new
            _kinds.cache_clear()
            found = _kinds().get(name)
    if found is None:
        raise ApiError(0, f"the server has no kind {name}")
    return found


@cache
def _kinds() -> dict[str, _Kind]:
    """Return the kinds by each of their names; the older group has those of two."""
    found: dict[str, _Kind] = {}
    for root in ("/api", "/apis"):
        for group in _ask(root, accept=_DISCOVERY)["items"]:
            version = group["versions"][0]
            prefix = f"{group['metadata']['name']}/" if group["metadata"].get("name") else ""
            for it in version.get("resources", ()):
                kind = _Kind(
                    prefix + version["version"],
                    it["responseKind"]["kind"],
                    it["resource"],
                    it["scope"] == "Namespaced",
                )
                for name in (it["resource"], it["singularResource"], *it.get("shortNames", ())):
                    found.setdefault(name, kind)
    return found


def _ask(target: str, accept: str = "application/json") -> Object:
    connection = http.client.HTTPConnection("127.0.0.1", _port(), timeout=_SECONDS)
    try:
        connection.request("GET", target, headers={"accept": accept})
        answer = connection.getresponse()
        said = answer.read()
    except (OSError, http.client.HTTPException) as error:
        raise ApiError(0, f"GET {target}: {error!r}") from error
    finally:
        connection.close()
    if answer.status != http.HTTPStatus.OK:
        raise ApiError(answer.status, f"GET {target}: {answer.status} {said.decode()}")
    found: Object = json.loads(said)
    return found


@cache
def _port() -> int:
    """Open the proxy; it ends with this process."""
    command = ["kubectl", "proxy", "--port=0"]
    proxy = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    atexit.register(proxy.terminate)
    assert proxy.stdout is not None
    said = proxy.stdout.readline()  # "Starting to serve on 127.0.0.1:PORT"
    return int(said.rpartition(":")[2])
