"""How a connection is encrypted: libpq's `sslmode`, as tries that the driver can make.

The driver can do without TLS or require it: with a file of authorities it then verifies the
certificate and the host name, and without one it accepts any certificate. So `prefer` is a try
with TLS, followed by one without, on a new connection.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import Final

from msgspec import Struct

SYSTEM: Final = "system"
MODES: Final = ("disable", "allow", "prefer", "require", "verify-ca", "verify-full")
_VERIFYING: Final = frozenset(("verify-ca", "verify-full"))
_BUNDLES: Final = (
    "/etc/ssl/certs/ca-certificates.crt",  # Debian, Alpine, the images of this service
    "/etc/pki/tls/certs/ca-bundle.crt",  # Fedora, RHEL, Amazon Linux
    "/etc/ssl/ca-bundle.pem",  # SUSE
    "/etc/ssl/cert.pem",  # macOS, BSD
)


class Tls(Struct, frozen=True):
    """One try to connect: encrypted or not, and the PEM file of who is trusted; None is anyone."""

    encrypted: bool
    root_cert: str | None = None


PLAIN: Final = Tls(encrypted=False)


def attempts(mode: str | None, root_cert: str | None) -> tuple[Tls, ...]:
    """Return the tries of an `sslmode`, in order; the next one is made if the server refuses."""
    encrypted = Tls(encrypted=True, root_cert=root_cert)
    match mode or "prefer":
        case "disable":
            return (PLAIN,)
        case "allow":
            return (PLAIN, encrypted)
        case "prefer":
            return (encrypted, PLAIN)
        case _:
            return (encrypted,)


def chosen(mode: str | None, root_cert: str | None) -> tuple[str | None, str | None]:
    """Return mode and file in force; `system` is the system's bundle, and verifies in full.

    Raises:
        ValueError: with the field that is wrong.

    """
    if root_cert != SYSTEM:
        if mode in _VERIFYING and root_cert is None:
            raise ValueError("ssl_mode")
        return mode, root_cert
    if mode not in {None, "verify-full"}:
        raise ValueError("ssl_mode")
    bundle = next(_system_bundles(), None)
    if bundle is None:
        raise ValueError("ssl_root_cert")
    return "verify-full", bundle


def _system_bundles() -> Iterator[str]:
    import ssl  # noqa: PLC0415  only who asks for the system's bundle pays for this import

    paths = ssl.get_default_verify_paths()
    for path in (paths.cafile, *_BUNDLES):
        if Path(path or "").is_file():  # there may be no cafile
            yield path
