"""Certificates for tests, made by openssl: an authority, and what it signs."""

import shutil
import ssl
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

import pytest

P_256 = ("ec", "-pkeyopt", "ec_paramgen_curve:prime256v1")
NAMES = "DNS:localhost,IP:127.0.0.1"


class Issued(NamedTuple):
    """PEM files of a certificate and of its key."""

    certificate: Path
    key: Path

    @property
    def not_after(self) -> int:
        """When it runs out, in seconds since 1970."""
        told = openssl(self.certificate.parent, "x509", "-in", str(self.certificate),
                       "-noout", "-enddate")  # fmt: skip
        return ssl.cert_time_to_seconds(told.strip().removeprefix("notAfter="))


def mount(folder: Path, issued: Issued) -> Issued:
    """Have copies of files in a folder instead of what it has, all at once as a kubelet does.

    Returns:
        Where they are, which is the same for all that are mounted there.

    """
    files = Issued(folder / "tls.crt", folder / "tls.key")
    copies = Path(tempfile.mkdtemp(dir=folder.parent))
    for file, copy in zip(issued, files, strict=True):
        shutil.copyfile(file, copies / copy.name)
    new = folder.with_name(f"{folder.name}.new")
    new.symlink_to(copies)
    new.replace(folder)
    return files


class Authority:
    """One that signs certificates; its own is in `certificate`."""

    def __init__(self, folder: Path, name: str = "authority") -> None:
        """Make its key; skips the test where openssl is missing."""
        if shutil.which("openssl") is None:
            pytest.skip("this machine has no openssl")
        self._folder = folder
        self._name = name
        self.certificate = folder / f"{name}.crt"
        openssl(folder, "req", "-x509", "-newkey", *P_256, "-nodes", "-subj", f"/CN={name}",
                "-addext", "keyUsage=critical,keyCertSign,cRLSign",  # Python 3.13 asks for it
                "-days", "2", "-keyout", f"{name}.key", "-out", f"{name}.crt")  # fmt: skip

    def issue(
        self,
        name: str,
        *,
        names: str = NAMES,
        key: tuple[str, ...] = P_256,
        days: int = 2,
        passphrase: str = "",
    ) -> Issued:
        """Sign a certificate for `names`, in files that are called `name`."""
        secrecy = ("-passout", f"pass:{passphrase}") if passphrase else ("-nodes",)
        openssl(self._folder, "req", "-newkey", *key, *secrecy, "-subj", f"/CN={name}",
                "-addext", f"subjectAltName={names}",
                "-keyout", f"{name}.key", "-out", f"{name}.csr")  # fmt: skip
        openssl(self._folder, "x509", "-req", "-in", f"{name}.csr", "-CA", f"{self._name}.crt",
                "-CAkey", f"{self._name}.key", "-CAcreateserial", "-copy_extensions", "copy",
                "-days", str(days), "-out", f"{name}.crt")  # fmt: skip
        return Issued(self._folder / f"{name}.crt", self._folder / f"{name}.key")

    def trusted(self, mine: Issued | None = None) -> ssl.SSLContext:
        """Return what a caller needs who trusts this authority, and shows its own certificate."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        if mine is not None:
            context.load_cert_chain(*map(str, mine))
        return context


def openssl(folder: Path, *arguments: str) -> str:
    """Run openssl in a folder; return what it prints."""
    done = subprocess.run(
        ["openssl", *arguments], cwd=folder, check=True, capture_output=True, text=True
    )
    return done.stdout
