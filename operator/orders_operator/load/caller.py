"""One request from when it is due to its end, including its further tries."""

import asyncio
import time
from typing import Final, NamedTuple

from orders_operator.load import requests, schedule
from orders_operator.load.connection import NoAnswer
from orders_operator.load.connections import Connections
from orders_operator.load.credential import Credential
from orders_operator.load.ledger import Ledger
from orders_operator.load.report import FailedTry
from orders_operator.load.requests import Create, Read, Requests
from orders_operator.load.settings import LoadSettings
from orders_operator.load.tally import Tally

NOT_STARTED: Final = "NotStarted"
"""The error of a request that was due while too many were in flight."""

CUT_OFF: Final = "CutOff"
"""The error of a request that was still under way some time after the load was stopped."""

_UNAVAILABLE: Final = 503


class _Failed(NamedTuple):
    """How a try failed."""

    failure: FailedTry
    again: bool = True
    refused: bool = False
    may_have_created: bool = True
    retry_after: float | None = None


class Caller:
    """Makes the requests of one load; `due` is in seconds since its start."""

    def __init__(self, settings: LoadSettings, ledger: Ledger, tally: Tally) -> None:
        self._settings = settings
        self._ledger = ledger
        self._tally = tally
        credential = Credential(settings.api_key_file, settings.token_file)
        self._requests = Requests(settings.url, credential)
        self._connections = Connections(
            settings.url,
            timeout=settings.timeout,
            renew=settings.renew,
            authorities=settings.ca_file,
        )
        self._begin = time.monotonic()

    def now(self) -> float:
        """Return the seconds since the start."""
        return time.monotonic() - self._begin

    def close(self) -> None:
        """Close the idle connections."""
        self._connections.close()

    async def call(self, number: int, due: float) -> None:
        """Make a request, with its further tries, and note the outcome."""
        kind = schedule.kind(number, self._settings)
        request = self._request(number, kind)
        began, attempt = due, 1
        may_have_created = False
        try:
            while (
                failed := await self._try(request, began, attempt, fresh=kind.fresh)
            ) is not None:
                may_have_created |= failed.may_have_created
                if not failed.again or attempt > self._settings.retries:
                    break
                self._tally.retried(failed.failure)
                await asyncio.sleep(schedule.backoff(number, attempt - 1, failed.retry_after))
                began, attempt = self.now(), attempt + 1
        except asyncio.CancelledError:
            failed = _Failed(self._erred(CUT_OFF, request, attempt, "waiting"))
            may_have_created = True
        if failed is not None:
            self._tally.failed(due, failed.failure, refused=failed.refused)
            if may_have_created and isinstance(request, Create):
                self._ledger.lose(number, time.time())
            return
        self._tally.succeeded(due, self.now() - due)
        if isinstance(request, Create) and request.order_id is not None:
            self._ledger.acknowledge(number, request.order_id, time.time())

    def leave_out(self, number: int, due: float) -> None:
        """Note that a request was not started."""
        request = self._request(number, schedule.kind(number, self._settings))
        failure = self._erred(NOT_STARTED, request, 0, "waiting")
        self._tally.failed(due, failure, refused=False)

    def _request(self, number: int, kind: schedule.Kind) -> Create | Read:
        known = len(self._ledger)
        if kind.read and known:
            entry = self._ledger.acknowledged(schedule.choice(number, known))
            return self._requests.read(entry, fresh=kind.fresh)
        return self._requests.create(self._ledger.order(number), fresh=kind.fresh)

    async def _try(
        self, request: Create | Read, began: float, attempt: int, *, fresh: bool
    ) -> _Failed | None:
        try:
            answer = await self._connections.ask(request.content, fresh=fresh)
        except NoAnswer as error:
            sent = error.phase != "connecting"
            failure = self._erred(error.what, request, attempt, error.phase, reused=error.reused)
            return _Failed(failure, may_have_created=sent)
        self._tally.answered(answer.status)
        if answer.status == _UNAVAILABLE:
            self._tally.unavailable(self.now() - began)
        what = request.wrong(answer)
        if what is None:
            return None
        if what == requests.MISMATCH:
            self._tally.erred(what)
        return _Failed(
            FailedTry(
                at=round(self.now(), 3),
                method=request.method,
                key=request.key,
                what=what,
                status=answer.status,
                reused=answer.reused,
                attempt=attempt,
                phase="answered",
            ),
            again=answer.status == _UNAVAILABLE,
            refused=requests.refused(answer),
            may_have_created=requests.may_have_created(answer, what),
            retry_after=answer.retry_after,
        )

    def _erred(
        self,
        what: str,
        request: Create | Read,
        attempt: int,
        phase: str,
        *,
        reused: bool = False,
    ) -> FailedTry:
        self._tally.erred(what)
        return FailedTry(
            at=round(self.now(), 3),
            method=request.method,
            key=request.key,
            what=what,
            status=None,
            reused=reused,
            attempt=attempt,
            phase=phase,
        )
