"""An issuer of tokens in the cluster: its OpenID configuration and its keys, by plain HTTP."""

import json
from typing import TYPE_CHECKING, Final

from tests.helpers.cluster.kubectl import IMAGE, Namespace
from tests.helpers.cluster.packets import CONFINED
from tests.helpers.cluster.workloads import service
from tests.helpers.tokens import Signer, jwks

if TYPE_CHECKING:
    from orders_operator.objects import Object

PORT: Final = 8080
OTHER: Final = 8081
"""A port of the same pod of which no policy speaks."""
_NAME: Final = "issuer"
_FOLDER: Final = "/srv/issuer"
_SERVE: Final = f"""
import functools, http.server, socket
other = socket.create_server(("", {OTHER}))
handler = functools.partial(http.server.SimpleHTTPRequestHandler, directory={_FOLDER!r})
http.server.ThreadingHTTPServer(("", {PORT}), handler).serve_forever()
"""


def url(namespace: Namespace) -> str:
    """Return the issuer's name, which says where its configuration is."""
    return f"http://{_NAME}.{namespace.name}.svc:{PORT}"


def run(namespace: Namespace, *signers: Signer) -> str:
    """Run it; return the address of its pod."""
    configuration = {"issuer": url(namespace), "jwks_uri": f"{url(namespace)}/keys"}
    files = [
        {"key": "configuration", "path": ".well-known/openid-configuration"},
        {"key": "keys", "path": "keys"},
    ]
    container = {
        "name": _NAME,
        "image": IMAGE,
        "command": ["python3", "-c", _SERVE],
        "readinessProbe": {"tcpSocket": {"port": PORT}, "periodSeconds": 1},
        "resources": {"requests": {"cpu": "10m", "memory": "32Mi"}},
        "securityContext": CONFINED,
        "volumeMounts": [{"name": "files", "mountPath": _FOLDER}],
    }
    spec: Object = {
        "containers": [container],
        "automountServiceAccountToken": False,
        "terminationGracePeriodSeconds": 0,
        "volumes": [{"name": "files", "configMap": {"name": _NAME, "items": files}}],
    }
    namespace.apply(
        {
            "apiVersion": "v1",
            "kind": "ConfigMap",
            "metadata": {"name": _NAME},
            "data": {"configuration": json.dumps(configuration), "keys": jwks(*signers)},
        },
        service(_NAME, PORT),
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": _NAME, "labels": {"app": _NAME}},
            "spec": spec,
        },
    )
    namespace.wait(f"pod/{_NAME}", "condition=Ready", 60)
    return str(namespace.get("pod", _NAME)["status"]["podIP"])
