"""What goes wrong hurts nobody who is served; it is said, and passes when it is mended."""

from collections.abc import Iterator
from typing import Final

import pytest

from tests.helpers.cluster.kubectl import ABSENT, IMAGE, Namespace, order_service, secret, uids
from tests.helpers.cluster.outside_caller import Caller
from tests.helpers.cluster.postgresql import PostgreSQL

SECONDS: Final = 60.0


def reason(kind: str, value: str) -> str:
    """Return what `kubectl wait` waits for."""
    return f"jsonpath={{.status.conditions[?(@.type=='{kind}')].reason}}={value}"


@pytest.fixture(scope="module")
def failing(namespace: Namespace) -> str:
    """Have an OrderService ready."""
    namespace.apply(order_service("failing", migrations={"timeout": "2s"}))
    namespace.rolled_out("failing", 90)
    return "failing"


@pytest.fixture
def served(namespace: Namespace, failing: str) -> Iterator[None]:
    """Place orders during the test; none may fail, and the pods of before must still be there."""
    before = uids(namespace.pods(failing))
    with Caller(namespace, failing) as caller:
        yield
        count = len(caller.placed)
        namespace.until(lambda: caller.more(count + 20), 20, "the caller goes on")
    assert [] == caller.failed
    assert before <= uids(namespace.pods(failing))


@pytest.mark.usefixtures("served")
def test_an_image_that_is_not_there_leaves_the_old_pods(
    namespace: Namespace, failing: str
) -> None:
    """Degraded/ImagePullFailed within 60 s; the right image again: not Degraded within 60 s."""
    spec = {"image": ABSENT, "podTemplate": {}}
    namespace.patch("orderservice", failing, {"spec": spec})
    namespace.wait(f"orderservice/{failing}", reason("Degraded", "ImagePullFailed"), SECONDS)
    assert "True" == namespace.condition(failing, "Ready")["status"]

    namespace.patch("orderservice", failing, {"spec": {"image": IMAGE}})
    namespace.wait(f"orderservice/{failing}", "condition=Degraded=false", SECONDS)
    namespace.rolled_out(failing, SECONDS)


@pytest.mark.usefixtures("served")
def test_a_migration_that_fails_leaves_the_old_pods(
    namespace: Namespace, failing: str, postgresql: PostgreSQL
) -> None:
    """A schema that was tampered with: Degraded/MigrationFailed with the log's words within 60 s.

    Mended and told to try again, all is well within 90 s.
    """
    broken = postgresql.database()
    name = broken.rpartition("/")[2]
    postgresql.sql(
        "CREATE TABLE orders_migrations (version int, name text, checksum text, release text,"
        " applied_at timestamptz); INSERT INTO orders_migrations"
        " VALUES (1, 'orders', 'another', '0.0.1', now())",
        name,
    )
    namespace.apply(secret("broken", url=broken))
    database = {"secretRef": {"name": "broken"}}
    namespace.patch("orderservice", failing, {"spec": {"database": database}})

    namespace.wait(f"orderservice/{failing}", reason("Degraded", "MigrationFailed"), SECONDS)
    assert "False" == namespace.condition(failing, "Migrated")["status"]
    assert "changed after it was applied" in namespace.condition(failing, "Degraded")["message"]
    assert "Warning" == namespace.event("MigrationFailed")["type"]

    postgresql.sql("DROP TABLE orders_migrations", name)
    failed = namespace.rollout(failing)["failed"]
    namespace.annotate(failing, retry=f"{failed['revision']}@{failed['at']}")
    namespace.wait(f"orderservice/{failing}", "condition=Degraded=false", 90)
    namespace.patch(
        "orderservice", failing, {"spec": {"database": {"secretRef": {"name": "database"}}}}
    )
    namespace.rolled_out(failing, 90)


def test_a_database_that_is_away_is_said(namespace: Namespace) -> None:
    """With a URL that leads nowhere: MigrationFailed within 60 s, and no secret is told."""
    url = "postgresql://me:very-secret@nowhere.invalid:5432/orders"
    namespace.apply(secret("nowhere", url=url))
    database = {"secretRef": {"name": "nowhere"}}
    namespace.apply(
        order_service("nowhere", database=database, migrations={"timeout": "1s"}),
    )

    namespace.wait("orderservice/nowhere", reason("Degraded", "MigrationFailed"), SECONDS)
    assert "nowhere.invalid" in namespace.condition("nowhere", "Degraded")["message"]
    told = namespace.kubectl("get", "orderservices,events,pods,deployments", "-o", "yaml")
    assert "very-secret" not in told
    namespace.kubectl("delete", "orderservice", "nowhere")


def test_a_secret_that_is_missing_is_waited_for(
    namespace: Namespace, postgresql: PostgreSQL
) -> None:
    """SecretMissing within 15 s; once it is there, Ready within 60 s."""
    namespace.apply(order_service("early", database={"secretRef": {"name": "late"}}))
    namespace.wait("orderservice/early", reason("Ready", "SecretMissing"), 15)
    assert "Secret late does not exist" in namespace.condition("early", "Ready")["message"]

    namespace.apply(secret("late", wrong="x"))
    message = (
        "jsonpath={.status.conditions[?(@.type=='Ready')].message}=Secret late has no key url"
    )
    namespace.wait("orderservice/early", message, 15)

    namespace.apply(secret("late", url=postgresql.database()))
    namespace.rolled_out("early", SECONDS)
    namespace.kubectl("delete", "orderservice", "early")
