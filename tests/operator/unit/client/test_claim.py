"""The claim of a release on one place, in virtual time, with an API server's rules for writes."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from orders_operator.client.claim import Claim
from orders_operator.client.lease import Lease
from tests.helpers.operator.fake_leases import LeaseClient, LeaseServer, url

pytestmark = pytest.mark.looptime

GRACE = 15.0


class Process:
    """One process of a release, and its claim."""

    def __init__(self, server: LeaseServer, release: str, pod: str, *, leads: bool = True) -> None:
        """Begin to claim, or to look on."""
        self.client = LeaseClient(server)
        clock = asyncio.get_running_loop().time
        lease = Lease(self.client, "shop", "lease", clock)  # type: ignore[arg-type]
        self.claim = Claim(lease, release, pod, grace=GRACE, clock=clock)
        self.leads = asyncio.Event()
        if leads:
            self.leads.set()
        self._told = asyncio.Event()
        self._running = asyncio.ensure_future(self.claim.run(self.leads, self._told.set))

    def kill(self) -> None:
        """End it without a word."""
        self._running.cancel()

    async def stop(self) -> None:
        """End it as SIGTERM does."""
        self.kill()
        await self.claim.leave()

    async def until(self, *, held: bool) -> float:
        """Wait until the place is held, or no longer; return the seconds it took."""
        started = now()
        async with asyncio.timeout(600):
            while self.claim.held is not held:
                self._told.clear()
                await self._told.wait()
        return now() - started


@pytest.fixture
async def server() -> AsyncIterator[LeaseServer]:
    """Have an API server without a Lease."""
    yield LeaseServer()
    for task in asyncio.all_tasks() - {asyncio.current_task()}:
        task.cancel()


def now() -> float:
    """Return the virtual time."""
    return asyncio.get_running_loop().time()


async def test_a_claim_is_made_and_begins_after_the_grace(server: LeaseServer) -> None:
    """Others who see the Lease have the grace to end what they began."""
    process = Process(server, "a/orders", "pod")
    await asyncio.sleep(1)

    assert "a/orders/pod" == server.holder("shop", "lease")
    assert not process.claim.held
    assert GRACE - 1 <= await process.until(held=True) <= GRACE


async def test_another_release_waits_and_names_the_holder(server: LeaseServer) -> None:
    """A release of the same name in another namespace is another release."""
    first, second = Process(server, "a/orders", "pod"), Process(server, "b/orders", "pod")
    await asyncio.sleep(100)

    assert first.claim.held
    assert "a/orders" == second.claim.other
    assert not second.claim.taken
    assert first.claim.other is None


async def test_another_release_takes_over_when_the_first_is_gone(server: LeaseServer) -> None:
    """Ten seconds after it sees that a release has stopped, another one has its claim."""
    first, second = Process(server, "a/orders", "pod"), Process(server, "b/orders", "pod")
    await first.until(held=True)

    await first.stop()

    assert GRACE <= await second.until(held=True) <= 5 + 10 + GRACE + 1
    assert "b/orders/pod" == server.holder("shop", "lease")


async def test_a_killed_release_keeps_its_claim_for_half_a_minute(server: LeaseServer) -> None:
    """A crash hands nothing to another release before another replica could go on."""
    first, second = Process(server, "a/orders", "pod"), Process(server, "b/orders", "pod")
    await first.until(held=True)
    await asyncio.sleep(20)

    first.kill()

    assert 25 + GRACE <= await second.until(held=True) <= 31 + GRACE


@pytest.mark.parametrize("how", ["stop", "kill"])
async def test_a_standby_goes_on_at_once(server: LeaseServer, how: str) -> None:
    """A replica that has seen its release keep the claim needs no grace."""
    first = Process(server, "a/orders", "first")
    standby = Process(server, "a/orders", "standby", leads=False)
    other = Process(server, "b/orders", "pod")
    await asyncio.sleep(60)
    assert standby.claim.other is None

    if how == "stop":
        await first.stop()
    else:
        first.kill()
        await asyncio.sleep(17)
    standby.leads.set()

    assert 1 > await standby.until(held=True)
    assert "a/orders" == other.claim.other


async def test_a_new_process_does_not_trust_a_lease_that_it_finds(server: LeaseServer) -> None:
    """Its own release's Lease may have run out long ago, and others may work there."""
    first = Process(server, "a/orders", "first")
    await first.until(held=True)
    await first.stop()
    await asyncio.sleep(3600)

    second = Process(server, "a/orders", "second")

    assert GRACE <= await second.until(held=True) <= GRACE + 1


@pytest.mark.parametrize("fault", ["down", "hung"])
async def test_a_claim_that_is_not_renewed_is_lost_before_others_take_it(
    server: LeaseServer, fault: str
) -> None:
    """Without an API server work ends within twenty seconds, whether calls fail or hang."""
    first, second = Process(server, "a/orders", "pod"), Process(server, "b/orders", "pod")
    await first.until(held=True)

    setattr(first.client, fault, True)

    assert 14 <= await first.until(held=False) <= 20.5
    assert not second.claim.taken


async def test_a_deleted_lease_is_made_again_by_its_holder(server: LeaseServer) -> None:
    """Deleting the object changes nothing, and gives nothing to another release."""
    first, second = Process(server, "a/orders", "pod"), Process(server, "b/orders", "pod")
    await first.until(held=True)
    server.objects.clear()
    await asyncio.sleep(6)

    assert first.claim.held
    assert "a/orders/pod" == server.holder("shop", "lease")
    assert not second.claim.taken


async def test_a_lease_that_another_takes_is_lost(server: LeaseServer) -> None:
    """A holder that reads another name no longer works, and says whose it is."""
    process = Process(server, "a/orders", "pod")
    await process.until(held=True)
    lease = server.objects[url("shop", "lease")]
    lease["spec"]["holderIdentity"] = "thief"
    server.keep(url("shop", "lease"), lease)

    assert 6 > await process.until(held=False)
    assert "thief" == process.claim.other


async def test_a_right_that_is_missing_is_named(
    server: LeaseServer, caplog: pytest.LogCaptureFixture
) -> None:
    """The server's words are kept and logged once, and forgotten when the right is there."""
    process = Process(server, "a/orders", "pod")
    process.client.forbidden.add("/apis")
    with caplog.at_level("INFO"):
        await asyncio.sleep(60)

    words = "the Lease shop/lease cannot be acquired: Forbidden: cannot get " + url(
        "shop", "lease"
    )
    assert words == process.claim.error
    assert 1 == caplog.text.count(words)
    process.client.forbidden.clear()
    await process.until(held=True)
    assert process.claim.error is None
