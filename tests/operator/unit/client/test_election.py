"""Who leads, and until when, in virtual time and with an API server's rules for writes."""

import asyncio

import pytest

from orders_operator.client.election import Election
from orders_operator.client.lease import Timing
from orders_operator.objects import Object
from tests.helpers.operator.fake_leases import LeaseClient, LeaseServer, url

pytestmark = pytest.mark.looptime


class Leases(LeaseClient):
    """One Lease, and the way of all candidates to it."""

    @property
    def lease(self) -> Object | None:
        """The Lease; None when there is none."""
        return self.server.objects.get(url("ns", "lease"))

    def holder(self) -> str:
        """Return who holds it."""
        return self.server.holder("ns", "lease")


def election(leases: Leases, identity: str) -> Election:
    """Return a candidate with the loop's clock."""
    clock = asyncio.get_running_loop().time
    return Election(leases, "ns", "lease", identity, Timing(), clock)  # type: ignore[arg-type]


def now() -> float:
    """Return the virtual time."""
    return asyncio.get_running_loop().time()


async def test_the_first_candidate_leads_at_once() -> None:
    """A lease that is not there is made."""
    leases = Leases(LeaseServer())
    first = election(leases, "first")

    await first.acquire()

    assert first.leading
    assert "first" == leases.holder()
    assert now() < 1


async def test_of_many_candidates_one_leads() -> None:
    """When several try at the same time, one wins and the others wait."""
    leases = Leases(LeaseServer())
    candidates = [election(leases, f"c{number}") for number in range(5)]
    tasks = [asyncio.ensure_future(it.acquire()) for it in candidates]
    await asyncio.sleep(1)

    leading = [it for it in candidates if it.leading]

    assert 1 == len(leading)
    for task in tasks:
        task.cancel()


async def test_a_killed_leader_is_followed_within_18_seconds() -> None:
    """A lease that nobody renews is taken when its 15 seconds are over."""
    leases = Leases(LeaseServer())
    first, second = election(leases, "first"), election(leases, "second")
    await first.acquire()
    holding = asyncio.ensure_future(first.hold())
    waiting = asyncio.ensure_future(second.acquire())
    await asyncio.sleep(60)
    assert not waiting.done()

    holding.cancel()
    died = now()
    await waiting

    assert 13 <= now() - died <= 17.5
    assert "second" == leases.holder()
    assert leases.lease is not None
    assert 1 == leases.lease["spec"]["leaseTransitions"]


async def test_a_released_lease_is_taken_at_once() -> None:
    """A leader that is told to stop makes room."""
    leases = Leases(LeaseServer())
    first, second = election(leases, "first"), election(leases, "second")
    await first.acquire()
    waiting = asyncio.ensure_future(second.acquire())
    await asyncio.sleep(5)

    await first.release()
    released = now()
    await waiting

    assert now() - released <= 3


@pytest.mark.parametrize("fault", ["down", "hung"])
async def test_a_leader_without_api_server_gives_up_before_another_may_lead(fault: str) -> None:
    """Ten seconds without a renewal end the leadership, whether calls fail or hang."""
    leases = Leases(LeaseServer())
    first = election(leases, "first")
    await first.acquire()
    holding = asyncio.ensure_future(first.hold())
    await asyncio.sleep(30)
    assert not holding.done()

    setattr(leases, fault, True)
    cut = now()
    await holding

    assert 8 <= now() - cut <= 12.5
    assert not first.leading


async def test_a_short_outage_does_not_end_leadership() -> None:
    """An API server that is away for a few seconds changes nothing."""
    leases = Leases(LeaseServer())
    first = election(leases, "first")
    await first.acquire()
    holding = asyncio.ensure_future(first.hold())
    await asyncio.sleep(10)
    leases.down = True
    await asyncio.sleep(5)
    leases.down = False
    await asyncio.sleep(60)

    assert first.leading
    assert not holding.done()
    holding.cancel()


async def test_a_stolen_lease_is_lost_at_once() -> None:
    """A leader that reads another holder's name stops."""
    leases = Leases(LeaseServer())
    first = election(leases, "first")
    await first.acquire()
    holding = asyncio.ensure_future(first.hold())
    await asyncio.sleep(5)
    assert leases.lease is not None
    leases.lease["spec"]["holderIdentity"] = "thief"
    leases.lease["metadata"]["resourceVersion"] = "1000"
    stolen = now()
    await holding

    assert now() - stolen <= 2.5
    assert not first.leading


async def test_a_deleted_lease_is_made_again() -> None:
    """Deleting the Lease object does not end leadership."""
    leases = Leases(LeaseServer())
    first = election(leases, "first")
    await first.acquire()
    holding = asyncio.ensure_future(first.hold())
    await asyncio.sleep(5)
    leases.server.objects.clear()
    await asyncio.sleep(5)

    assert "first" == leases.holder()
    assert first.leading
    holding.cancel()


async def test_a_deleted_lease_is_still_its_holders() -> None:
    """Whoever deletes the Lease object gives no candidate the lead while its holder works."""
    leases = Leases(LeaseServer())
    first, second = election(leases, "first"), election(leases, "second")
    await first.acquire()
    waiting = asyncio.ensure_future(second.acquire())
    await asyncio.sleep(1)
    leases.server.objects.clear()
    await asyncio.sleep(10)

    assert not second.leading
    waiting.cancel()


async def test_release_leaves_the_lease_of_another_alone() -> None:
    """Who does not hold the lease does not give it away."""
    leases = Leases(LeaseServer())
    first, second = election(leases, "first"), election(leases, "second")
    await first.acquire()
    second.leading = True

    await second.release()

    assert "first" == leases.holder()
