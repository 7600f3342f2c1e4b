"""The Secret with the URL of the database is rotated: no caller notices, every pod follows."""

from functools import partial
from typing import Final

from chaos.canary import VERDICT, reach, rollout, taken_over
from chaos.conftest import Serve, Try
from chaos.experiment import Experiment
from chaos.postgresql import Database, Server
from chaos.shop import Shop
from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import secret, uids
from tests.helpers.cluster.postgresql import url

ROTATED: Final = 120.0
"""Seconds until every pod uses the new value."""
STEP: Final = "30s"
"""How long a canary stands where its pods and the stable ones are replaced meanwhile."""
_ROTATED: Final = "rotated"
_TURNING: Final = "turning"


def test_a_rotated_secret_fails_no_request(shop: Shop, postgresql: Server, attempt: Try) -> None:
    """The Secret names another role: every pod uses it, and the role of before is locked out."""
    before = shop.pods()
    name = shop.database.sql("SELECT current_database()")
    shop.database.sql(f"CREATE ROLE {_ROTATED} SUPERUSER LOGIN PASSWORD 'another'")
    with attempt("secret-rotation") as it, shop.load(it) as load:
        host = f"{postgresql.name}.{shop.namespace.name}.svc"
        it.mark("another role and password in the Secret")
        rotated = url(host, name, _ROTATED, "another")
        shop.namespace.apply(secret(f"{shop.name}-database", url=rotated))
        shop.rolled(before)
        it.mark("every pod is new")
        shop.namespace.until(
            partial(released, shop.database, "usename = 'postgres'"),
            60,
            "no pod uses the old role",
        )
        it.mark("no pod uses the old role")
        it.none("requests failed", load.stop().failed)


def test_a_canary_goes_on_when_its_secret_is_rotated(
    serve: Serve, postgresql: Server, attempt: Try
) -> None:
    """The one role has another password: all pods of both tracks connect with it.

    PostgreSQL asks for a password when a connection is made. So those of before serve on, and
    that none of them is left says that every pod has the new password.
    """
    it = attempt("canary-rotation")
    database, straight = postgresql.make()
    host, name = straight.rpartition("@")[2].split("/")
    database.sql(f"CREATE ROLE {_TURNING} SUPERUSER LOGIN PASSWORD 'first'")
    on = database, url(host, name, _TURNING, "first")
    shop = serve(_TURNING, on, replicas=3, rollout=rollout(STEP))
    with it, shop.load(it) as load:
        before = shop.namespace.rollout(shop.name)["stable"]
        shop.change(podTemplate={"env": [{"name": "QUEUE_LIMIT", "value": "1000"}]})
        begun = reach(shop, "a canary that serves", _serves, VERDICT)
        old = uids(shop.pods())
        began = it.mark("another password, of the role and in the Secret")
        since = database.sql(f"ALTER ROLE {_TURNING} PASSWORD 'second'; SELECT clock_timestamp()")
        rotated = url(host, name, _TURNING, "second")
        shop.namespace.apply(secret(f"{shop.name}-database", url=rotated))
        shop.namespace.until(lambda: not old & uids(shop.pods()), ROTATED, "every pod is new")
        shop.namespace.until(
            partial(released, database, f"backend_start < '{since}'"),
            ROTATED,
            "no pod is as before",
        )
        it.at_most("until every pod used it", it.mark("every pod uses it") - began, ROTATED, "s")
        same(
            it,
            "canary begun at",
            begun["startedAt"],
            shop.namespace.rollout(shop.name).get("startedAt"),
        )
        same(it, "promoted revision", begun["canary"], taken_over(it, shop, before)["stable"])
        it.none("requests failed", load.stop().failed)


def released(database: Database, old: str) -> bool:
    """Whether no connection of the service is an old one."""
    count = database.sql(
        "SELECT count(*) FROM pg_stat_activity"  # noqa: S608  made here
        f" WHERE application_name LIKE 'orders %' AND datname = current_database() AND {old}"
    )
    return count == "0"


def same(it: Experiment, what: str, before: str, after: str | None) -> None:
    """Expect that something is as it was."""
    it.expect(what, after or "unknown", before, met=before == after)


def _serves(now: Object) -> bool:
    return now.get("step") == 1 and "settledAt" in now
