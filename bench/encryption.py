"""Measures what TLS costs: this service with a certificate, beside itself without.

The load generator and the server share the machine, so each pays for its side of the encryption.
"""

import shutil
import subprocess
from typing import Final

from msgspec import structs

from bench import paths
from bench.servers import Server

ENCRYPTED: Final = "orders-tls"


def encrypted(server: Server) -> Server | None:
    """Return the same service over TLS; None where there is no openssl to make a certificate."""
    if shutil.which("openssl") is None:
        return None
    certificate, key = paths.CACHE / "tls.crt", paths.CACHE / "tls.key"
    paths.CACHE.mkdir(parents=True, exist_ok=True)
    command = ["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt"]
    command += ["ec_paramgen_curve:prime256v1", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=IP:127.0.0.1"]
    command += ["-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)
    return structs.replace(
        server,
        name=ENCRYPTED,
        title=f"{server.title}, over TLS",
        environment={"TLS_CERT_FILE": str(certificate), "TLS_KEY_FILE": str(key)},
        scheme="https",
    )
