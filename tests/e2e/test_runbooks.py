"""The shell blocks of the runbooks, pasted where something is wrong: a database is lost."""

import json
from typing import Final, NamedTuple

import pytest

from tests.helpers.cluster.kubectl import Namespace, order_service, secret
from tests.helpers.cluster.page_reader import Reader
from tests.helpers.cluster.plugin import orders
from tests.helpers.cluster.postgresql import PostgreSQL
from tests.helpers.page_blocks import block

NAME: Final = "lost"
FIRST: Final = "unmigrated"
"""An OrderService whose first migration fails."""
BROKEN: Final = (
    "CREATE FUNCTION fail() RETURNS trigger LANGUAGE plpgsql AS $$BEGIN RAISE 'broken'; END$$",
    "CREATE TRIGGER fail BEFORE INSERT ON orders EXECUTE FUNCTION fail()",
)
"""What has the database refuse orders, for a reason that the service does not know."""
WELL: Final = {"(WARNING|ERROR)": "(WARNING|ERROR|INFO)"}
"""The operator itself is well, and may have nothing else to tell."""
OPERATORS: Final = {"NAMESPACE": "default"}
EMBEDDED: Final = {"NAMESPACE": "default", "NAME": "orders"}


class Step(NamedTuple):
    """A block, what it prints, and what its placeholders and other texts stand for."""

    text: str
    prints: tuple[str, ...]
    words: dict[str, str] = {}  # noqa: RUF012  nobody changes it
    instead: dict[str, str] = {}  # noqa: RUF012  nobody changes it


STEPS: Final = (
    Step(
        block(
            "docs/runbooks/OrdersDatabaseUnreachable.md", "kubectl -n NAMESPACE get orderservice"
        ),
        ("secretRef", "not currently accepting connections"),
    ),
    Step(
        block("docs/runbooks/OrdersDatabaseUnreachable.md", "kubectl -n NAMESPACE get pods,"),
        ("pod/orders-postgresql-0", "data-orders-postgresql-0", "ready to accept connections"),
        EMBEDDED,
    ),
    Step(
        block("docs/runbooks/OrdersDegraded.md", "kubectl -n NAMESPACE get orderservice"),
        (": ", "Restart Count:", '"level":"INFO"'),
    ),
    Step(
        block("docs/runbooks/OrdersErrorRateHigh.md", "kubectl -n NAMESPACE get orderservice"),
        ("Unavailable", '"level":"ERROR"'),
    ),
    Step(
        block("docs/runbooks/OrdersErrorRateHigh.md", "kubectl -n NAMESPACE rollout history"),
        ("REVISION",),
    ),
    Step(
        block("docs/runbooks/OrdersEventLoopSlow.md", "kubectl -n NAMESPACE get pod POD"),
        ('"cpu":"20m"', "NAME"),
    ),
    Step(
        block("docs/runbooks/OrdersMigrationFailed.md", "kubectl -n NAMESPACE get orderservice"),
        ("MigrationFailed: ", "migrate"),
        {"NAME": FIRST},
    ),
    Step(
        block("docs/runbooks/OrdersNotReady.md", "kubectl -n NAMESPACE get orderservice"),
        ("Ready=False ", "Unavailable"),
    ),
    Step(
        block("docs/runbooks/OrdersNotReady.md", "kubectl -n NAMESPACE port-forward"),
        ("[-]", "readyz check failed"),
    ),
    Step(
        block("docs/runbooks/OrdersOperatorConflict.md", "kubectl get leases"),
        ("default/orders-operator/", "Running"),
    ),
    Step(
        block("docs/runbooks/OrdersOperatorDown.md", "kubectl get pods --all-namespaces"),
        ("orders-operator", "cluster.orders.dev"),
        OPERATORS,
    ),
    Step(
        block("docs/runbooks/OrdersOperatorFailing.md", "kubectl get orderservices"),
        (NAME, "MigrationFailed", '"level": "'),
        OPERATORS,
        WELL,
    ),
    Step(
        block("docs/runbooks/OrdersRolloutHeld.md", "kubectl orders status NAME"),
        (NAME, "Stable: "),
    ),
    Step(
        block("docs/runbooks/OrdersWritesBlocked.md", "kubectl -n NAMESPACE logs"),
        ("writes are blocked",),
    ),
)


@pytest.fixture(scope="module")
def reader(
    namespace: Namespace, postgresql: PostgreSQL, tmp_path_factory: pytest.TempPathFactory
) -> Reader:
    """Have somebody whom an alert has called: one service lost its database, one never had it."""
    url = postgresql.database()
    namespace.apply(
        secret("lost", url=url),
        order_service(NAME, database={"secretRef": {"name": "lost"}}),
        secret("nowhere", url="postgresql://nobody@nowhere.invalid/orders"),
        order_service(
            FIRST, migrations={"timeout": "1s"}, database={"secretRef": {"name": "nowhere"}}
        ),
    )
    namespace.rolled_out(NAME, 90)
    [pod] = namespace.pods(NAME)
    name, node = pod["metadata"]["name"], pod["spec"]["nodeName"]
    stop = "import os, signal; os.kill(1, signal.SIGTERM)"
    namespace.kubectl("exec", name, "--container=orders", "--", "python3", "-c", stop)
    restarted = "jsonpath={.status.containerStatuses[0].restartCount}=1"
    namespace.wait(f"pod/{name}", restarted, 60)
    namespace.wait(f"pod/{name}", "jsonpath={.status.containerStatuses[0].ready}=true", 60)
    namespace.rolled_out(NAME, 30)
    for statement in BROKEN:
        postgresql.sql(statement, url.rpartition("/")[2])
    failed = orders("load", NAME, "-n", namespace.name, "--rate=5", "--duration=1s", "-o", "json")
    assert 0 < json.loads(failed.out)["failed"]
    postgresql.refuse(url)
    namespace.wait(f"orderservice/{NAME}", "condition=Ready=False", 60)
    namespace.told(FIRST, "cannot connect", 90)
    return Reader(
        namespace.name, tmp_path_factory.mktemp("checkout"), NAME=NAME, POD=name, NODE=node
    )


@pytest.mark.parametrize("step", STEPS, ids=range(len(STEPS)))
def test_it_shows_what_to_look_for(reader: Reader, step: Step) -> None:
    """Each command succeeds, and prints what the runbook goes on from."""
    printed = reader.paste(step.text, step.instead, **step.words)

    assert [] == [text for text in step.prints if text not in printed], printed
