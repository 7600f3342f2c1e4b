"""Connecting with TLS, without it, or with one after the other, as `sslmode` asks for.

libpq negotiates TLS on one connection; the driver can only require it or do without. So a second
connection is made here, and only if the first one's error may be about encryption.
"""

from collections.abc import Awaitable, Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeVar

from psqlpy.exceptions import Error as DriverError

if TYPE_CHECKING:
    from orders.config import Tls

T = TypeVar("T")

# The driver's own words, and a file's name that is the same in every language.
_HANDSHAKE: Final = "error performing TLS handshake"
_NO_TLS: Final = "server does not support TLS"
_ACCESS: Final = "pg_hba.conf"
_UNREACHABLE: Final = "error connecting to server"


async def first_of(attempts: Sequence["Tls"], connect: Callable[["Tls"], Awaitable[T]]) -> T:
    """Return the connection of the first attempt that works.

    Raises:
        DriverError: none works. It is the last attempt's, unless that only says there is no TLS.

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

    A server that requires TLS says so in its own language, so any refusal of a plain connection
    counts. A server without TLS is not tried again after every wrong password. Where a certificate
    has to verify, a failure is no reason to continue in the clear, unlike in libpq.
    """
    text = str(error)
    if attempt.encrypted:
        failed = _NO_TLS if attempt.root_cert is not None else _HANDSHAKE
        return failed in text or _ACCESS in text
    return _UNREACHABLE not in text
