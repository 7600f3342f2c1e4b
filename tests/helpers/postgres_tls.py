"""A PostgreSQL with TLS: this machine's, if it has one, as that of the wheel is built without.

Its roles differ in what pg_hba.conf lets them do: `only_tls` and `only_plain` say it, `scram`
needs its password, and `postgres` may do all.
"""

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from orders.embedded import EmbeddedPostgres
from tests.helpers.certificates import openssl
from tests.helpers.ports import free_port

_ACCESS = """\
local all all trust
host all postgres 127.0.0.1/32 trust
host all scram 127.0.0.1/32 scram-sha-256
hostssl all only_tls 127.0.0.1/32 trust
hostnossl all only_plain 127.0.0.1/32 trust
"""
_ROLES = ("only_tls", "only_plain", "scram")
_KEY = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")
_NAME = ("-addext", "subjectAltName=DNS:localhost")


class TlsPostgres(EmbeddedPostgres):
    """A server on 127.0.0.1 whose certificate is localhost's, by the authority in `ca`."""

    def __init__(self, folder: Path) -> None:
        """Find the programs and make the certificates.

        Skips the test where PostgreSQL or openssl is missing.
        """
        programs = _programs_with_tls()
        if programs is None or shutil.which("openssl") is None:
            pytest.skip("this machine has no PostgreSQL that was built with TLS, or no openssl")
        self.ca, self.other_ca = folder / "ca.crt", folder / "other.crt"
        self.port = free_port()
        super().__init__(folder, port=self.port, settings={"ssl": "on", "fsync": "off"})
        self._programs = programs

    def _make_data(self) -> None:
        self._data.mkdir(mode=0o700)
        self._account.give(self._data)
        self._run("initdb", "--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C",
                  "--no-sync", "-D", str(self._data))  # fmt: skip
        sql = "".join(f"CREATE ROLE {role} SUPERUSER LOGIN PASSWORD 's3cret'\n" for role in _ROLES)
        self._run("postgres", "--single", "-F", "-D", str(self._data), "postgres", text=sql)
        (self._data / "pg_hba.conf").write_text(_ACCESS)
        self._make_certificates()

    def _make_certificates(self) -> None:
        folder = self.ca.parent
        for name in ("ca", "other"):
            openssl(folder, "req", "-x509", *_KEY, "-subj", f"/CN={name}", "-days", "2",
                    "-keyout", f"{name}.key", "-out", f"{name}.crt")  # fmt: skip
        openssl(folder, "req", *_KEY, "-subj", "/CN=localhost", *_NAME,
                 "-keyout", "server.key", "-out", "server.csr")  # fmt: skip
        openssl(folder, "x509", "-req", "-in", "server.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                 "-CAcreateserial", "-copy_extensions", "copy", "-days", "2",
                 "-out", "server.crt")  # fmt: skip
        for name in ("server.key", "server.crt"):
            path = self._data / name
            shutil.copyfile(folder / name, path)
            path.chmod(0o600)
            self._account.give(path)


def _programs_with_tls() -> Path | None:
    """Return the folder of the newest server that was built with TLS."""
    folders = [*Path("/usr/lib/postgresql").glob("*/bin"), *Path("/usr").glob("pgsql-*/bin")]
    on_path = shutil.which("pg_config")
    if on_path is not None:
        folders.append(Path(on_path).resolve().parent)
    found = {
        tuple(map(int, re.findall(r"[0-9]+", _config(folder, "--version")))): folder
        for folder in folders
        if {"initdb", "postgres", "pg_config"} <= {path.name for path in folder.iterdir()}
        and re.search("--with-(ssl|openssl)", _config(folder, "--configure"))
    }
    return found[max(found)] if found else None


def _config(folder: Path, what: str) -> str:
    done = subprocess.run([folder / "pg_config", what], check=True, capture_output=True, text=True)
    return done.stdout
