"""The TLS files: read together, tried before they are used, and passed on as they were read.

The server reads the files itself, and aborts the process on files that it does not accept. So each
set of files is copied first, checked by OpenSSL, which says what is wrong, and tried by a server
in a process of its own. The copies that pass are the ones that the server gets.
"""

import contextlib
import os
import ssl
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from orders.config import ConfigError

if TYPE_CHECKING:
    from orders.config import ServerTls

_NO_CHECK_TIME: Final = 0x200000
"""X509_V_FLAG_NO_CHECK_TIME of OpenSSL: an expired certificate is read all the same."""
_OF_ANOTHER: Final = frozenset(
    ("KEY_VALUES_MISMATCH", "KEY_TYPE_MISMATCH", "NO_CERTIFICATE_ASSIGNED")
)
"""OpenSSL's reasons for a readable key of another certificate; the last, of another type."""
_FLIGHTS: Final = 4
_TRIAL: Final = """\
import os, sys
from orders.http.server import TlsFiles, attempt
attempt(TlsFiles(*(text or None for text in sys.argv[1:])))
os._exit(0)  # the server's threads need no farewell
"""
_TRIAL_SECONDS: Final = 60.0
_REFUSAL: Final = "an `Err` value: "


class Certificate(NamedTuple):
    """The files that were read, and what the certificate says."""

    names: str
    """The names that it is for."""
    not_before: float
    not_after: float
    """The ends of its validity, in seconds since 1970."""
    certificate: str
    key: str
    authorities: str | None
    """Paths of copies that nobody changes, and that disappear with the process."""
    descriptors: tuple[int, ...]

    def close(self) -> None:
        """Close the copies."""
        for descriptor in self.descriptors:
            os.close(descriptor)


def digest(tls: "ServerTls") -> bytes | None:
    """Return a digest of the files; None while one cannot be read."""
    found = sha256()
    try:
        for path in (tls.certificate, tls.key, tls.authorities):
            content = b"" if path is None else Path(path).read_bytes()
            found.update(sha256(content).digest())
    except OSError:
        return None
    return found.digest()


def read(tls: "ServerTls") -> Certificate:
    """Read the files and try them; that takes a fraction of a second.

    Raises:
        ConfigError: the server would not accept one.

    """
    with contextlib.ExitStack() as stack:
        copies = _Copies(stack)
        certificate = copies.take("TLS_CERT_FILE", tls.certificate)
        key = copies.take("TLS_KEY_FILE", tls.key)
        authorities = None
        if tls.authorities is not None:
            authorities = copies.take("TLS_CLIENT_CA_FILE", tls.authorities)
            _certificates("TLS_CLIENT_CA_FILE", tls.authorities, authorities)
        _certificates("TLS_CERT_FILE", tls.certificate, certificate)
        try:
            said = _shown(_server(tls, certificate, key), certificate)
        except ssl.SSLError as error:
            raise _wrong(
                "TLS_CERT_FILE", tls.certificate, f"no server can use it ({error.reason})"
            ) from error
        _attempt(tls, (certificate, key, authorities or "", tls.minimum), copies.descriptors)
        stack.pop_all()
    names = [name for _, name in said.get("subjectAltName", ())]
    names = names or [value for part in said["subject"] for _, value in part]
    return Certificate(
        ", ".join(names),
        float(ssl.cert_time_to_seconds(said["notBefore"])),
        float(ssl.cert_time_to_seconds(said["notAfter"])),
        certificate,
        key,
        authorities,
        tuple(copies.descriptors),
    )


class _Copies:
    """Copies of files, in memory."""

    def __init__(self, stack: contextlib.ExitStack) -> None:
        self.descriptors: list[int] = []
        self._stack = stack

    def take(self, variable: str, path: str) -> str:
        """Copy a file to memory; return the copy's path, or the file's own if that cannot be."""
        try:
            content = Path(path).read_bytes()
        except OSError as error:
            raise _wrong(variable, path, f"it cannot be read ({error.strerror})") from None
        if not hasattr(os, "memfd_create"):
            return path
        descriptor = os.memfd_create(variable)
        self._stack.callback(os.close, descriptor)
        self.descriptors.append(descriptor)
        with open(descriptor, "wb", closefd=False) as copy:
            copy.write(content)
        return f"/proc/self/fd/{descriptor}"


def _certificates(variable: str, path: str, copy: str) -> None:
    """Check that a file contains certificates, and nothing broken."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(copy)
    except ssl.SSLError as error:
        raise _wrong(variable, path, f"it has no PEM certificates ({error.reason})") from error


def _server(tls: "ServerTls", certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        context.load_cert_chain(certificate, key, password="")  # else OpenSSL asks the terminal
    except ssl.SSLError as error:
        if error.reason in _OF_ANOTHER:
            why = "it is not the key of the certificate in TLS_CERT_FILE"
        else:
            why = f"it has no PEM private key without a passphrase ({error.reason})"
        raise _wrong("TLS_KEY_FILE", tls.key, why) from error
    return context


def _shown(server: ssl.SSLContext, certificate: str) -> dict[str, Any]:
    """Have OpenSSL shake hands with itself; return the contents of the certificate it showed."""
    client = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    client.check_hostname = False
    client.load_verify_locations(certificate)
    client.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN | _NO_CHECK_TIME
    there, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    asking = client.wrap_bio(back, there)
    answering = server.wrap_bio(there, back, server_side=True)
    for _ in range(_FLIGHTS):
        for side in (asking, answering):
            with contextlib.suppress(ssl.SSLWantReadError):
                side.do_handshake()
    return dict(asking.getpeercert() or {})


def _attempt(tls: "ServerTls", arguments: tuple[str, ...], descriptors: list[int]) -> None:
    """Start a server with the files, in a process of its own."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", _TRIAL, *arguments],
            pass_fds=descriptors,
            stdin=subprocess.DEVNULL,
            capture_output=True,
            text=True,
            check=False,
            timeout=_TRIAL_SECONDS,
        )
    except subprocess.TimeoutExpired:
        why = f"the server did not accept it within {_TRIAL_SECONDS:g} s"
        raise _wrong("TLS_CERT_FILE", tls.certificate, why) from None
    if done.returncode:
        said = done.stderr.strip().splitlines() or [f"exit status {done.returncode}"]
        why = next((line for line in said if _REFUSAL in line), said[-1]).rpartition(_REFUSAL)[2]
        raise _wrong("TLS_CERT_FILE", tls.certificate, f"the server does not accept it ({why})")


def _wrong(variable: str, path: str, why: str) -> ConfigError:
    return ConfigError(f"{variable} is {path!r}; {why}")
