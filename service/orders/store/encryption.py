"""Connecting with TLS, without it, or with one after the other, as `sslmode` asks for.

libpq prefers TLS on one connection; the driver can only insist on it or do without, so here a
second connection is made, and only where the first one says that encryption is the matter.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from psqlpy.exceptions import Error as DriverError

if TYPE_CHECKING:
    from orders.config import Tls

T = TypeVar("T")

# These are the driver's own words, and the name of a file that stays the same in any language.
_HANDSHAKE: Final = "error performing TLS handshake"
_NO_TLS: Final = "server does not support TLS"
_ACCESS: Final = "pg_hba.conf"
_UNREACHABLE: Final = "error connecting to server"


async def first_of(attempts: Sequence["Tls"], connect: Callable[["Tls"], Awaitable[T]]) -> T:
    """Return what the first attempt that works connects to.

    Raises:
        DriverError: none did. It is the last one's, unless that says only that there is no TLS.

    """
    refused: DriverError | None = None
    for attempt in attempts[:-1]:
        try:
            return await connect(attempt)
        except DriverError as error:
            if not _may_be_encryption(attempt, error):
                raise
            refused = error
    try:
        return await connect(attempts[-1])
    except DriverError as error:
        if refused is not None and _HANDSHAKE in str(error):
            raise refused from None
        raise


def _may_be_encryption(attempt: "Tls", error: DriverError) -> bool:
    """Whether the next attempt may succeed where this one was refused.

    A server that wants TLS says so in words of its own, so any refusal of a plain connection
    counts. One that wants none is not asked again for every wrong password. Where a certificate
    has to verify, one that does not is no reason to go on in the clear, as it is to libpq.
    """
    text = str(error)
    if attempt.encrypted:
        failed = _NO_TLS if attempt.root_cert is not None else _HANDSHAKE
        return failed in text or _ACCESS in text
    return _UNREACHABLE not in text
