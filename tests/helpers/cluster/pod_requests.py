"""Requests to pods, one by one and over TLS, from a pod in the cluster that trusts an authority.

A Service chooses whom it asks; what holds for every pod is asked of every pod. Each request has a
connection of its own, as a server takes a new certificate for new ones.
"""

import json
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from chaos.load import CA_FILE, TOKEN_FILE
from tests.helpers.cluster.kubectl import Namespace

if TYPE_CHECKING:
    from orders_operator.objects import Object

ORDER: Final = {"item": "e2e", "quantity": 1}
_ASK: Final = """
import http.client, json, socket, ssl, sys
authority, token_file, host = sys.argv[1:]
context = ssl.create_default_context(cafile=authority)
told = []
for address, method, path, headers, body in json.load(sys.stdin):
    if headers.get("authorization") == "projected":
        headers["authorization"] = "Bearer " + open(token_file).read().strip()
    connection = http.client.HTTPConnection(host)
    plain = socket.create_connection((address, 8000), timeout=10)
    connection.sock = context.wrap_socket(plain, server_hostname=host)
    serial = connection.sock.getpeercert()["serialNumber"]
    connection.request(method, path, body, {**headers, "connection": "close"})
    answer = connection.getresponse()
    fields = {name.lower(): value for name, value in answer.getheaders()}
    told.append([answer.status, fields, answer.read().decode(), serial])
    connection.close()
json.dump(told, sys.stdout)
"""

PROJECTED: Final = {"authorization": "projected"}
"""The token that Kubernetes has put into the asking pod."""


def bearer(token: str) -> dict[str, str]:
    """Return the header of a token."""
    return {"authorization": f"Bearer {token}"}


def key(text: str) -> dict[str, str]:
    """Return the header of an API key."""
    return {"x-api-key": text}


class Answer(NamedTuple):
    """What a pod answered, and the serial number of the certificate that it showed."""

    status: int
    headers: dict[str, str]
    body: str
    serial: str

    @property
    def problem(self) -> str:
        """What is wrong, in a word, of a problem document."""
        found: Object = json.loads(self.body)
        return str(found["type"]).rpartition("/")[2]


class Asking:
    """A pod of the operator's image that asks the pods of an OrderService."""

    def __init__(self, namespace: Namespace, pod: str, service: str) -> None:
        self._namespace = namespace
        self._pod = pod
        self._service = service
        self._host = f"{service}.{namespace.name}.svc"

    def order(self, headers: dict[str, str]) -> list[Answer]:
        """Place an order at each pod; return their answers."""
        more = {"content-type": "application/json"}
        return self.each("POST", "/orders", headers | more, json.dumps(ORDER))

    def each(
        self, method: str, path: str, headers: dict[str, str], body: str | None = None
    ) -> list[Answer]:
        """Ask each pod that is not on its way out; return their answers."""
        addresses = [pod["status"]["podIP"] for pod in self._namespace.pods(self._service)]
        return self._ask([[it, method, path, headers, body] for it in addresses])

    def _ask(self, questions: list[list[Any]]) -> list[Answer]:
        assert questions, f"{self._service} has no pods"
        command = ["python3", "-c", _ASK, CA_FILE, TOKEN_FILE, self._host]
        told = self._namespace.kubectl(
            "exec", "--stdin", self._pod, "--", *command, text=json.dumps(questions)
        )
        return [Answer(*it) for it in json.loads(told)]
