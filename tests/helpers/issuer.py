"""A real issuer of tokens: its discovery document and its keys, over HTTP on this machine."""

import json
import ssl
import threading
from collections import Counter
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

from tests.helpers.certificates import Issued
from tests.helpers.tokens import Signer, jwks

DISCOVERY = "/.well-known/openid-configuration"
KEYS = "/keys"


class IssuerServer:
    """Publishes keys; a context manager. What it answers can be changed at any time."""

    def __init__(self, *signers: Signer, port: int = 0, shown: Issued | None = None) -> None:
        """Listen on a port, a free one if it is 0; over TLS if there is a certificate to show."""
        self.asked: Counter[str] = Counter()
        self.more: dict[str, tuple[int, dict[str, str], bytes]] = {}
        """Further answers, by path: status, headers, body; they go before the usual ones."""
        self._keys = jwks(*signers)
        issuer = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                issuer.asked[self.path] += 1
                status, headers, body = issuer._answer(self.path)
                self.send_response(status)
                for name, value in ({"content-length": str(len(body))} | headers).items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: Any) -> None:
                """Say nothing."""

        self._server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))
        self.port = self._server.server_address[1]
        if shown is not None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*map(str, shown))
            self._server.socket = context.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'http' if shown is None else 'https'}://127.0.0.1:{self.port}"

    def publish(self, *signers: Signer) -> None:
        """Have these keys and no others."""
        self._keys = jwks(*signers)

    def _answer(self, path: str) -> tuple[int, dict[str, str], bytes]:
        if path in self.more:
            return self.more[path]
        if path == DISCOVERY:
            document = {"issuer": self.url, "jwks_uri": self.url + KEYS}
            return 200, {"content-type": "application/json"}, json.dumps(document).encode()
        if path == KEYS:
            return 200, {"content-type": "application/jwk-set+json"}, self._keys.encode()
        return 404, {}, b""

    def __enter__(self) -> Self:
        """Begin to answer."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Answer no more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
