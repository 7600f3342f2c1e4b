"""Keeps the keys of an issuer that has a URL: fetched at start, hourly, and when one is missing.

The keys that were fetched last stay in use while the issuer is away.
"""

import asyncio
import contextlib
import logging
import threading
from collections.abc import Callable
from functools import partial
from random import uniform
from typing import TYPE_CHECKING, Final, TypeVar

from orders.auth import keys
from orders.auth.fetching import fetch_keys

if TYPE_CHECKING:
    from orders.auth.issuer import Issuer

T = TypeVar("T")

EVERY: Final = 3600.0
"""Seconds between two scheduled fetches; up to a tenth less, so that pods differ."""
SPACING: Final = 30.0
"""Seconds between two that somebody asks for, as every caller can."""
_FIRST_PAUSE: Final = 0.5
_LONGEST_PAUSE: Final = 30.0

log = logging.getLogger("orders.auth")


class KeySource:
    """Fetches the keys of one issuer."""

    def __init__(self, issuer: "Issuer", changed: Callable[[], None]) -> None:
        """`changed` is called when the issuer has other keys than before."""
        self.issuer = issuer
        self._changed = changed
        self._asked = asyncio.Event()
        self._failure = ""

    def ask(self) -> None:
        """Have the keys fetched again soon."""
        self._asked.set()

    async def follow(self) -> None:
        """Fetch the keys again and again, without end."""
        loop = asyncio.get_running_loop()
        pause = _FIRST_PAUSE
        while True:
            self._asked.clear()
            began = loop.time()
            if await self._fetch():
                pause = _FIRST_PAUSE
                try:
                    async with asyncio.timeout(EVERY * uniform(0.9, 1)):  # noqa: S311  no secret
                        await self._asked.wait()
                except TimeoutError:
                    continue
                await asyncio.sleep(began + SPACING - loop.time())
            else:
                await asyncio.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE)

    async def _fetch(self) -> bool:
        trust = self.issuer.trust
        try:
            read = partial(keys.read, strict=False)
            fetched = await _in_thread(lambda: fetch_keys(trust.issuer, trust.jwks_url, read))
        except Exception as error:  # noqa: BLE001  whatever it is, the next try may go well
            if str(error) != self._failure:
                self._failure = str(error)
                log.warning("cannot get the keys of the issuer %s: %s", trust.issuer, error)
            return False
        before = self.issuer.keys
        if before is None or self._failure:
            log.info("the issuer %s has %d keys", trust.issuer, len(fetched.identities))
        self._failure = ""
        self.issuer.keys = fetched
        if before is None or before.identities != fetched.identities:
            self._changed()
        return True


async def _in_thread(work: Callable[[], T]) -> T:
    """Return the result of a thread for which the end of the process does not wait."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()

    def tell(result: T | None, error: BaseException | None) -> None:
        if done.cancelled():
            return
        if error is not None:
            done.set_exception(error)
        else:
            done.set_result(result)  # type: ignore[arg-type]

    def run() -> None:
        result, error = None, None
        try:
            result = work()
        except BaseException as raised:  # noqa: BLE001  told in the loop
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop may have ended meanwhile
            loop.call_soon_threadsafe(tell, result, error)

    threading.Thread(target=run, name="issuer-keys", daemon=True).start()
    return await done
