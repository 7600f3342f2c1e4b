"""When a host is looked up."""

import asyncio
import socket
from collections.abc import Sequence

import pytest

from orders_operator.load.addresses import Addresses

pytestmark = pytest.mark.looptime


class Names:
    """A resolver whose answers are set."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.calls = 0
        self.seconds = 0.0
        self.found: list[str] | None = ["10.0.0.1"]
        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", self._look_up)

    async def _look_up(
        self, _: str, port: int, **__: object
    ) -> Sequence[tuple[int, int, int, str, tuple[str, int]]]:
        self.calls += 1
        await asyncio.sleep(self.seconds)
        if self.found is None:
            raise socket.gaierror(socket.EAI_NONAME, "no such host")
        return [(2, 1, 6, "", (address, port)) for address in self.found]


async def test_a_host_is_looked_up_every_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Connections in between take what was found; nobody waits for the look-up after it."""
    names = Names(monkeypatch)
    addresses = Addresses("orders", 80)
    together = await asyncio.gather(*(addresses.get() for _ in range(10)))
    await asyncio.sleep(5)
    names.found, names.seconds = ["10.0.0.2"], 1.0
    old = await addresses.get()
    await asyncio.sleep(2)
    new = await addresses.get()

    assert [["10.0.0.1"]] * 10 == together
    assert (["10.0.0.1"], ["10.0.0.2"], 2) == (old, new, names.calls)


async def test_a_host_that_was_found_stays_while_look_ups_fail(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A name server that is away is no failure of the service."""
    names = Names(monkeypatch)
    addresses = Addresses("orders", 80)
    await addresses.get()
    names.found = None
    for _ in range(3):
        await asyncio.sleep(6)
        assert ["10.0.0.1"] == await addresses.get()
    names.found = ["10.0.0.2"]
    await asyncio.sleep(6)
    await addresses.get()
    await asyncio.sleep(1)

    assert ["10.0.0.2"] == await addresses.get()


async def test_a_host_that_was_never_found_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    """For all who wait; the next call looks again."""
    names = Names(monkeypatch)
    names.found = None
    addresses = Addresses("orders", 80)
    together = await asyncio.gather(*(addresses.get() for _ in range(3)), return_exceptions=True)
    names.found = ["10.0.0.1"]

    assert [socket.gaierror] * 3 == [type(error) for error in together]
    assert ["10.0.0.1"] == await addresses.get()
