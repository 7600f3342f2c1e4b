"""TLS of the API's port: whose certificate it shows, and who may connect.

The files' contents are checked when the service starts to serve, because other commands may not
have the files.
"""

from typing import Final

from msgspec import Struct

from orders_common import parse
from orders_common.settings import Reader, Setting

_NEEDS: Final = "only with TLS_CERT_FILE and TLS_KEY_FILE"

SERVER_TLS: Final = (
    Setting(
        "tls_certificate",
        ("TLS_CERT_FILE",),
        parse.text,
        None,
        "the path of a PEM file, together with TLS_KEY_FILE",
        "The certificate of the API's port, followed by those that signed it. With it, the API "
        "is served over TLS only; metrics and health on METRICS_PORT stay plain HTTP. A changed "
        "file is taken without a restart. [TLS](tls.md) says more.",
        "TLS",
    ),
    Setting(
        "tls_key",
        ("TLS_KEY_FILE",),
        parse.text,
        None,
        "the path of a PEM file, together with TLS_CERT_FILE",
        "Its private key, without a passphrase: RSA with 2048 bits or more, P-256, P-384 or "
        "Ed25519.",
        "TLS",
    ),
    Setting(
        "tls_minimum",
        ("TLS_MIN_VERSION",),
        parse.choice("1.2", "1.3"),
        "1.2",
        f"1.2, 1.3; {_NEEDS}",
        "The oldest version of TLS that is accepted.",
        "TLS",
    ),
    Setting(
        "tls_authorities",
        ("TLS_CLIENT_CA_FILE",),
        parse.text,
        None,
        f"the path of a PEM file; {_NEEDS}",
        "Only callers with a certificate from one of these authorities may connect. It decides "
        "nothing else: a certificate names no subject and grants no scopes.",
        "TLS",
    ),
)


class ServerTls(Struct, frozen=True):
    """Paths of PEM files, and the oldest version: 1.2 or 1.3."""

    certificate: str
    key: str
    minimum: str
    authorities: str | None


def read_server_tls(reader: Reader) -> ServerTls | None:
    """Read the settings; None when there is to be no TLS.

    Raises:
        ValueError: with the field that is wrong.

    """
    certificate, key, minimum, authorities = map(reader.read, SERVER_TLS)
    if certificate is None or key is None:
        for setting in SERVER_TLS:
            if reader.given(setting) is not None:
                raise ValueError(setting.field)
        return None
    return ServerTls(certificate, key, minimum, authorities)
