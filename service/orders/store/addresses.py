"""Where to try to connect, and in which order: every address of every host.

The address that worked last comes first, without another look-up of its name. Addresses that were
silent come last, because each costs a whole timeout. The rest keep the order of the configuration
and of the resolver.
"""

import asyncio
import random
import socket
from collections.abc import Iterable
from typing import NamedTuple


class Address(NamedTuple):
    """A host's name and port, and one of its addresses; None for the folder of a socket."""

    host: str
    port: int
    ip: str | None = None

    def __str__(self) -> str:
        """Name the host, and the address if that is not its name."""
        place = f"{self.host}:{self.port}"
        return place if self.ip is None or self.literal else f"{place} ({self.ip})"

    @property
    def literal(self) -> bool:
        """Whether the host is given by its address."""
        return self.ip == self.host.strip("[]")


class Addresses:
    """The addresses of a database, shared by everything that connects to it."""

    def __init__(
        self, hosts: Iterable[Address], *, timeout: float, shuffled: bool = False
    ) -> None:
        """Keep the hosts.

        Args:
            hosts: in the order to try them; their `ip` may be unknown.
            timeout: seconds that the look-up of a name may take.
            shuffled: whether each connection tries them in its own random order instead.

        """
        self._hosts = list(dict.fromkeys(hosts))
        self._shuffled = shuffled
        self._timeout = timeout
        self._last: Address | None = None
        self._silent: set[Address] = set()
        self._lookups: dict[Address, asyncio.Task[list[Address]]] = {}

    @property
    def last(self) -> Address | None:
        """The address that worked last, unless it has failed since; None if `shuffled`."""
        return None if self._shuffled else self._last

    async def find(self, failures: dict[Address, str]) -> list[Address]:
        """Return every address in the order to try them.

        Args:
            failures: gets the reason for each name without an address.

        """
        lookups = await asyncio.gather(*(self._look_up(host, failures) for host in self._hosts))
        found = dict.fromkeys(address for addresses in lookups for address in addresses)
        addresses = list(found)
        if self._shuffled:
            random.shuffle(addresses)
        return sorted(addresses, key=self._silent.__contains__)

    def worked(self, address: Address) -> None:
        """Note an address at which a connection was made."""
        self._last = address
        self._silent.discard(address)

    def failed(self, address: Address, *, silent: bool) -> None:
        """Note an address that failed; `silent` if it gave no answer, rather than a refusal."""
        if address == self._last:
            self._last = None
        if silent:
            self._silent.add(address)
        else:
            self._silent.discard(address)

    async def _look_up(self, host: Address, failures: dict[Address, str]) -> list[Address]:
        """Return a host's addresses; a call during a look-up shares that look-up's answer.

        A look-up that is given up goes on in its thread, so no second one is begun beside it.
        """
        if host.ip is not None or host.host.startswith("/"):
            return [host]
        lookup = self._lookups.get(host)
        if lookup is None:
            lookup = self._lookups[host] = asyncio.ensure_future(_resolve(host))
            lookup.add_done_callback(lambda _: self._lookups.pop(host, None))
        try:
            async with asyncio.timeout(self._timeout):
                return await asyncio.shield(lookup)
        except TimeoutError:
            failures[host] = f"its name could not be resolved within {self._timeout:g} s"
        except OSError as error:
            failures[host] = error.strerror or str(error)
        return []


async def _resolve(host: Address) -> list[Address]:
    name, port = host.host.strip("[]"), host.port
    numeric = socket.AI_NUMERICHOST
    try:
        found = socket.getaddrinfo(name, port, type=socket.SOCK_STREAM, flags=numeric)
    except socket.gaierror:
        loop = asyncio.get_running_loop()
        found = await loop.getaddrinfo(name, port, type=socket.SOCK_STREAM)
    return [host._replace(ip=str(place[0])) for *_, place in found]
