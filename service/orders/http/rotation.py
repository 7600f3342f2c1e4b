"""Takes over changed TLS files, so that no request is dropped and no restart is needed.

The server reads its files once. So a second server is started beside it, which gets every new
connection (`reuseport.py`). Requests on the old connections are answered there, and each answer is
the last one on its connection. Once no idle connection can still be open, the old server is
stopped. Files that cannot be used are reported in the log and in a metric, and the old ones stay.
"""

import asyncio
import logging
import math
import time
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Final

from orders.http import certificates
from orders.http.server import TlsFiles

if TYPE_CHECKING:
    from orders.config import ServerTls
    from orders.http.certificates import Certificate
    from orders.http.server import Listener

PERIOD: Final = 10.0
"""Seconds between two looks at the files."""
AGAIN: Final = 60.0
"""Seconds until refused files are tried again: the machine may have been the cause."""
_TENTH: Final = 0.1
"""The share of a certificate's validity that is left when it should have been replaced."""

log = logging.getLogger("orders.http")


class Rotation:
    """The certificate in use, and the next one."""

    def __init__(self, tls: "ServerTls", idle_timeout: float) -> None:
        """Read the files for the first time.

        Args:
            tls: the files.
            idle_timeout: seconds after which a retired server has no open connection.

        Raises:
            ConfigError: the server would not accept one.

        """
        self.changes = {"taken": 0, "refused": 0}  # changes of the files, by outcome
        self._tls = tls
        self._idle_timeout = idle_timeout
        self._seen = certificates.digest(tls)
        self._current = certificates.read(tls)
        self._told = ""
        self._again = math.inf  # by time.monotonic()

    @property
    def files(self) -> TlsFiles:
        """The files that the server has to read."""
        return _files(self._current, self._tls)

    @property
    def not_after(self) -> float:
        """When the certificate in use expires, in seconds since 1970."""
        return self._current.not_after

    def __str__(self) -> str:
        """Return the names of the certificate in use, and when it expires."""
        until = datetime.fromtimestamp(self._current.not_after, UTC)
        return f"certificate of {self._current.names}, until {until:%Y-%m-%dT%H:%M:%SZ}"

    async def watch(self, listener: "Listener") -> None:
        """Check the files periodically, without end."""
        while True:
            self._tell_age()
            await asyncio.sleep(PERIOD)
            try:
                await self._look(listener)
            except Exception:  # else the checks would end, and the certificate would expire
                log.exception("the TLS files cannot be checked for changes")

    async def _look(self, listener: "Listener") -> None:
        """Take the files if they have changed; return when the old server is gone."""
        found = await asyncio.to_thread(certificates.digest, self._tls)
        is_new = found != self._seen
        if found is None or not (is_new or time.monotonic() >= self._again):
            return
        self._seen, self._again = found, time.monotonic() + AGAIN
        try:
            fresh = await asyncio.to_thread(certificates.read, self._tls)
        except Exception as error:  # noqa: BLE001  wrong files, or a machine that lacks resources
            if is_new:
                self._refuse(f"{error}; the old ones stay in use")
            return
        self._again = math.inf
        old = listener.replace(_files(fresh, self._tls))
        if old is None:
            fresh.close()
            self._refuse("this system cannot replace them in place; a restart takes them")
            return
        self._current.close()
        self._current = fresh
        self.changes["taken"] += 1
        log.info("took the new TLS files: %s", self)
        await asyncio.sleep(self._idle_timeout)
        old.stop()
        await old.ended

    def _refuse(self, why: str) -> None:
        self.changes["refused"] += 1
        log.error("refused the new TLS files: %s", why)

    def _tell_age(self) -> None:
        """Warn once that the certificate expires soon, and once more when it has expired."""
        left = self._current.not_after - time.time()
        whole = self._current.not_after - self._current.not_before
        if left > whole * _TENTH:
            return
        when = "has expired" if left <= 0 else "expires soon"
        warning = f"{when} without a replacement: {self}"
        if warning != self._told:
            self._told = warning
            log.warning("TLS: %s", warning)


def _files(certificate: "Certificate", tls: "ServerTls") -> TlsFiles:
    return TlsFiles(certificate.certificate, certificate.key, certificate.authorities, tls.minimum)
