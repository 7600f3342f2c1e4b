"""API keys and certificates as people and cert-manager make them, in Secrets."""

import sys
from pathlib import Path
from typing import NamedTuple

from tests.helpers.certificates import Authority
from tests.helpers.cluster.kubectl import Namespace, run, secret


class Key(NamedTuple):
    """An API key, and the line by which a service knows it."""

    text: str
    line: str


def new_key(name: str, *scopes: str) -> Key:
    """Make one as a person does."""
    flags = [part for scope in scopes for part in ("--scope", scope)]
    return Key(*run(sys.executable, "-m", "orders", "keys", "new", name, *flags).split("\n")[:2])


def store_keys(namespace: Namespace, name: str, *keys: Key) -> None:
    """Have the lines of these keys, and no others, in a Secret."""
    namespace.apply(secret(name, keys="\n".join(it.line for it in keys)))


class Certificates:
    """An authority that signs certificates for one host."""

    def __init__(self, folder: Path, host: str) -> None:
        """Make the authority in a folder."""
        self.folder = folder
        self._authority = Authority(folder)
        self._names = f"DNS:{host}"

    def store(self, namespace: Namespace, name: str) -> str:
        """Have a new certificate in a Secret, as cert-manager does; return its serial number."""
        issued = self._authority.issue("service", names=self._names)
        files = {"tls.crt": issued.certificate, "tls.key": issued.key}
        files["ca.crt"] = self._authority.certificate
        made = secret(name, **{it: path.read_text() for it, path in files.items()})
        namespace.apply(made | {"type": "kubernetes.io/tls"})
        told = run("openssl", "x509", "-in", str(issued.certificate), "-noout", "-serial")
        return told.strip().rpartition("=")[2]
