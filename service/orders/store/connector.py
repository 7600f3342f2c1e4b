"""Makes connections: tries each address of each host in turn, until one gives a session.

A try has `connect_timeout` for TCP, TLS and authentication together, and as long again for each
later step of checks and set-up: a distant server needs many round trips, while a silent one
answers none. `opening` keeps a try from going on for ever.
"""

import asyncio
import itertools
import secrets
import time
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final, TypeVar

from psqlpy.exceptions import Error as DriverError

from orders.store import pooler
from orders.store.addresses import Address, Addresses
from orders.store.driver_errors import explain
from orders.store.opening import Opened, Opener
from orders.store.pooled_session import PooledSession
from orders.store.pooler import Kind
from orders.store.server_role import ServerRole
from orders.store.session import Session, SessionLost, Statement

if TYPE_CHECKING:
    from orders.config import Database

_TRUST: Final = 60.0

MadeT = TypeVar("MadeT")
Extend = Callable[[], None]
"""Gives a try its time once more."""


class CannotConnect(DriverError):
    """No address gave the server that was asked for; the message says why for each."""


class Connector:
    """Makes sessions on one database."""

    def __init__(self, database: "Database", *, statement_timeout: float) -> None:
        """Keep the database, and the seconds after which the server ends a statement."""
        self._database = database
        self._statement_timeout = statement_timeout
        self.process = f"{database.application_name} {secrets.token_hex(4)} "
        """What the `application_name` of each connection begins with; a number follows."""
        self._numbers = itertools.count(1)
        self._addresses = Addresses(
            [Address(*endpoint) for endpoint in database.endpoints],
            timeout=database.connect_timeout,
            shuffled=database.load_balance_hosts == "random",
        )
        self._opener = Opener(database)
        self._poolers: set[Address] = set()
        self._plans = 0
        self._trusted_until = 0.0
        self._judging = asyncio.Lock()

    @property
    def where(self) -> str:
        """The database, as people read it."""
        return self._database.where

    async def connect(self, warm: Sequence[Statement] = ()) -> Session:
        """Return a session that is set up, with the statements of `warm` prepared.

        Each has an `application_name` of its own, by which another session can find its backend.

        Raises:
            CannotConnect: no server was reached that is what `target_session_attrs` asks for.

        """
        return await self._first(partial(self._session, warm))

    def lost(self, session: Session, *, silent: bool) -> None:
        """Note that a session was lost; after a silent one its address is tried last."""
        self._addresses.failed(session.address, silent=silent)

    def renew_plans(self, session: Session) -> None:
        """Have later sessions plan their statements anew, because this one's plans do not fit."""
        if session.plans == self._plans:
            self._plans += 1

    def doubt_plans(self, session: Session) -> bool:
        """Whether plans may not fit: older ones always, the newest at most once a minute.

        A refusal that the rows caused must not have every statement planned anew each time.
        """
        if session.plans == self._plans:
            now = time.monotonic()
            if now < self._trusted_until:
                return False
            self._trusted_until = now + _TRUST
        return True

    async def open(self) -> Opened:
        """Return a connection as the driver makes it; raises what `connect` does."""
        return await self._first(self._checked)

    async def _first(self, make: Callable[[Address, Extend], Awaitable[MadeT]]) -> MadeT:
        """Return the first that can be made; raise with every address's reason if none can."""
        failures: dict[Address, str] = {}
        last = self._addresses.last
        if last is not None and (made := await self._try(last, make, failures)) is not None:
            return made
        for address in await self._addresses.find(failures):
            if address in failures:
                continue
            if (made := await self._try(address, make, failures)) is not None:
                return made
        raise CannotConnect(_told(failures))

    async def _try(
        self,
        address: Address,
        make: Callable[[Address, Extend], Awaitable[MadeT]],
        failures: dict[Address, str],
    ) -> MadeT | None:
        limit = self._database.connect_timeout
        silent = False
        try:
            async with asyncio.timeout(limit) as bound:
                now = asyncio.get_running_loop().time
                made = await make(address, lambda: bound.reschedule(now() + limit))
        except TimeoutError:
            silent, failures[address] = True, f"no answer within {limit:g} s"
        except (DriverError, SessionLost) as error:
            failures[address] = explain(error, detail=False)
        else:
            self._addresses.worked(address)
            return made
        self._addresses.failed(address, silent=silent)
        self._poolers.discard(address)
        return None

    async def _checked(self, address: Address, extend: Extend) -> Opened:
        opened = await self._opener.open(address, self._name())
        extend()
        try:
            await ServerRole(self._database.target_session_attrs).check(opened.connection)
        except BaseException:
            opened.close()
            raise
        return opened

    async def _session(
        self, warm: Sequence[Statement], address: Address, extend: Extend
    ) -> Session:
        opened, direct = await self._open(address, extend)
        try:
            role = ServerRole(self._database.target_session_attrs)
            await role.check(opened.connection)
            extend()
            kind = Kind.OWN if direct else await self._judge(opened)
            if kind is Kind.OWN:
                session = Session(opened, role)
            else:
                session = PooledSession(
                    opened, role, prepared=kind is Kind.TRANSACTIONS, plans=self._plans
                )
            extend()
            await session.set_up(self._statement_timeout, warm, extend)
        except BaseException:
            opened.close()
            raise
        return session

    async def _open(self, address: Address, extend: Extend) -> tuple[Opened, bool]:
        """Return a connection, and whether it is to PostgreSQL itself."""
        name = self._name()
        if address not in self._poolers:
            try:
                opened = await self._opener.open(address, name, direct=True)
            except DriverError as error:
                if not pooler.refuses_options(error):
                    raise
                self._poolers.add(address)
            else:
                extend()
                try:
                    return opened, await pooler.is_direct(opened)
                except BaseException:
                    opened.close()
                    raise
        opened = await self._opener.open(address, name, pooled=True)
        extend()
        return opened, False

    async def _judge(self, opened: Opened) -> Kind:
        """Find out about a pooler, one connection at a time, as two would disturb each other."""
        async with self._judging:
            return await pooler.judge(
                opened, lambda: self._opener.open(opened.address, self._name())
            )

    def _name(self) -> str:
        return f"{self.process}{next(self._numbers)}"


def _told(failures: dict[Address, str]) -> str:
    """Return each address's reason, in the same order whichever was tried first."""
    if len(failures) == 1:
        [(address, why)] = failures.items()
        return why if address.literal else f"{address}: {why}"
    return "; ".join(sorted(f"{address}: {why}" for address, why in failures.items()))
