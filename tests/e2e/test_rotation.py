"""A password is rotated: ten pods have the new one in time, wherever their rollout is.

A rotation of one role's password leaves connections as they are and refuses new ones, so whoever
was not given the new one is away as soon as a connection breaks.
"""

from functools import partial
from typing import Final

import pytest

from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import ABSENT, Namespace, order_service, secret, uids
from tests.helpers.cluster.postgresql import PostgreSQL

pytestmark = pytest.mark.starts_early(seconds=220)

NAME: Final = "rotating"
SECRET: Final = "rotating-database"
ROLE: Final = "rotating"
PODS: Final = 10
ROTATED: Final = 120.0
"""Seconds from the new Secret until every pod uses it."""
_STANDING: Final = {"strategy": "Canary", "canary": {"steps": [{"weight": 20, "duration": "1h"}]}}


class Password:
    """The password of the service's role, in the database and in the Secret."""

    def __init__(self, namespace: Namespace, postgresql: PostgreSQL) -> None:
        self._namespace = namespace
        self._postgresql = postgresql
        straight = postgresql.database()
        self._place = straight.rpartition("@")[2]
        self._database = straight.rpartition("/")[2]
        postgresql.sql(f"DROP ROLE IF EXISTS {ROLE}")
        postgresql.sql(f"CREATE ROLE {ROLE} SUPERUSER LOGIN PASSWORD 'first'")
        self._tell("first")

    def rotate(self, new: str) -> float:
        """Change it; return the seconds until every pod of before is gone, and all use it."""
        before = uids(self._namespace.pods(NAME))
        assert PODS == len(before)
        since = self._sql(f"ALTER ROLE {ROLE} PASSWORD '{new}'; SELECT clock_timestamp()")
        self._tell(new)
        replaced = partial(self._replaced, before, since)
        return self._namespace.until(replaced, ROTATED, f"{PODS} pods use the new password")

    def _replaced(self, before: set[str], since: str) -> bool:
        pods = self._namespace.pods(NAME)
        if before & uids(pods) or PODS > sum(map(_is_ready, pods)):
            return False
        old = self._sql(
            f"SELECT count(*) FROM pg_stat_activity WHERE usename = '{ROLE}'"  # noqa: S608  ours
            f" AND backend_start < '{since}'"
        )
        return old == "0"

    def _sql(self, statement: str) -> str:
        return self._postgresql.sql(statement, self._database)

    def _tell(self, password: str) -> None:
        url = f"postgresql://{ROLE}:{password}@{self._place}"
        self._namespace.apply(secret(SECRET, url=url))


@pytest.fixture(scope="module")
def password(namespace: Namespace, postgresql: PostgreSQL) -> Password:
    """Have ten small pods, eight of them stable and two in a canary that stands."""
    made = Password(namespace, postgresql)
    small = {"requests": {"cpu": "5m", "memory": "32Mi"}}
    spec = {"database": {"secretRef": {"name": SECRET}}, "resources": small, "replicas": 8}
    namespace.apply(order_service(NAME, rollout=_STANDING, **spec))
    namespace.rolled_out(NAME, 120)
    env = [{"name": "REQUEST_TIMEOUT", "value": "6s"}]
    namespace.patch("orderservice", NAME, {"spec": {"podTemplate": {"env": env}}})
    namespace.wait(f"orderservice/{NAME}", "jsonpath={.status.rollout.settledAt}", 90)
    return made


def test_it_reaches_both_tracks_of_a_canary(namespace: Namespace, password: Password) -> None:
    """In 120 s; the canary is the same, and at the same step."""
    before = _place(namespace)
    assert "Canary" == before["phase"]

    print(f"rotated in {password.rotate('second'):.0f} s")  # noqa: T201
    assert before == _place(namespace)


def test_it_reaches_a_canary_that_is_paused(namespace: Namespace, password: Password) -> None:
    """Whoever holds a rollout at its step does not hold a password."""
    namespace.annotate(NAME, pause=namespace.rollout(NAME)["canary"])
    namespace.wait(f"orderservice/{NAME}", "jsonpath={.status.rollout.phase}=Paused", 30)
    before = _place(namespace)

    print(f"rotated in {password.rotate('third'):.0f} s")  # noqa: T201
    assert before == _place(namespace)


def test_it_reaches_pods_that_were_rolled_back_to(
    namespace: Namespace, password: Password
) -> None:
    """The revision that failed is not tried again for it: it names the same Secret."""
    image = {"image": ABSENT, "replicas": PODS, "rollout": {"progressDeadline": "20s"}}
    namespace.patch("orderservice", NAME, {"spec": image})
    namespace.wait(f"orderservice/{NAME}", "jsonpath={.status.rollout.phase}=RolledBack", 90)
    ready = f"jsonpath={{.status.readyReplicas}}={PODS}"
    namespace.wait(f"deployment/{NAME}", ready, 90)
    namespace.until(lambda: len(namespace.pods(NAME)) == PODS, 60, "only stable pods are left")
    before = _place(namespace)

    print(f"rotated in {password.rotate('fourth'):.0f} s")  # noqa: T201
    assert before == _place(namespace)


def _place(namespace: Namespace) -> Object:
    """Return where the rollout is."""
    found = namespace.rollout(NAME)
    names = ("phase", "revision", "stable", "canary", "step", "startedAt", "failed")
    return {name: found.get(name) for name in names}


def _is_ready(pod: Object) -> bool:
    conditions = pod["status"].get("conditions", ())
    return "True" in [it["status"] for it in conditions if it["type"] == "Ready"]
