"""The embedded database is replaced by another one: no order is lost on the way."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from chaos.conftest import Serve, Try
from chaos.experiment import Experiment
from chaos.ledger import Row
from chaos.postgresql import Database, Server, pod_spec
from chaos.shop import Shop
from chaos.sizes import Size
from tests.helpers.cluster.kubectl import Namespace, secret, uids

NAME: Final = "leaving"
GONE: Final = 90.0
"""Seconds until the database that nobody uses any more is gone."""
_SECRET: Final = f"{NAME}-next"
_POD: Final = f"{NAME}-postgresql-0"
_CLAIM: Final = f"data-{_POD}"
_READER: Final = "retained"


def test_leaving_the_embedded_database_loses_no_order(
    serve: Serve, namespace: Namespace, postgresql: Server, size: Size, attempt: Try
) -> None:
    """Its successor's Secret is missing, then wrong, then right; each order is in one of both.

    Nothing is read, for an order of before cannot be had from pods that use the other database.
    """
    embedded = Database(namespace, f"statefulset/{NAME}-postgresql", "orders", "orders")
    other, url = postgresql.make()
    spec = {"database": {"embedded": {}}, "migrations": {"timeout": "2s"}}
    shop = serve(NAME, (embedded, None), replicas=2, **spec)
    with attempt("embedded-left") as it, shop.load(it, reads=0) as load:
        before = shop.pods()
        with untouched(it, shop, "while the Secret was missing"):
            it.mark("another database, whose Secret is missing")
            shop.change(database={"embedded": None, "secretRef": {"name": _SECRET}})
            degraded(shop, "SecretMissing")
            load.go_on(size.lead)
        with untouched(it, shop, "while the Secret was wrong"):
            it.mark("the Secret has a wrong password")
            namespace.apply(secret(_SECRET, url=url.replace(":made-up@", ":wrong@")))
            degraded(shop, "MigrationFailed")
            load.go_on(size.lead)
        it.mark("the Secret is right")
        namespace.apply(secret(_SECRET, url=url))
        shop.rolled(before)
        it.mark("every pod is new")
        namespace.wait(f"pod/{_POD}", "delete", GONE)
        it.mark("the embedded database is gone")
        it.none("requests failed", load.stop().failed)
        shop.left, shop.database = retained(namespace), other
        old, new = ({row.key for row in rows} for rows in (shop.left, other.orders()))
        it.expect("orders in the retained claim", f"{len(old):,}", "some", met=bool(old))
        it.expect("orders in the other database", f"{len(new):,}", "some", met=bool(new))
        it.none("orders in both", len(old & new))


@contextmanager
def untouched(it: Experiment, shop: Shop, when: str) -> Iterator[None]:
    """Expect that database and pods are the same afterwards."""

    def database() -> str:
        found: str = shop.namespace.get("pod", _POD)["metadata"]["uid"]
        return found

    pods, server = uids(shop.pods()), database()
    yield
    it.none(f"pods gone {when}", len(pods - uids(shop.pods())))
    it.none(f"pods of the database replaced {when}", int(database() != server))


def degraded(shop: Shop, reason: str) -> None:
    """Wait until this is said to be wrong."""
    said = f"jsonpath={{.status.conditions[?(@.type=='Degraded')].reason}}={reason}"
    shop.namespace.wait(f"orderservice/{shop.name}", said, 90)


def retained(namespace: Namespace) -> list[Row]:
    """Return the orders in the claim, read by a PostgreSQL that the operator knows nothing of."""
    claim = {"persistentVolumeClaim": {"claimName": _CLAIM}}
    namespace.apply(
        {
            "apiVersion": "v1",
            "kind": "Pod",
            "metadata": {"name": _READER},
            "spec": pod_spec(claim),
        }
    )
    try:
        namespace.wait(f"pod/{_READER}", "condition=Ready", 60)
        return Database(namespace, f"pod/{_READER}", "orders", "orders").orders()
    finally:
        namespace.kubectl("delete", "pod", _READER)
