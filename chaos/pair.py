"""A PostgreSQL primary and its synchronous streaming replica, which confirms each commit."""

from typing import Final

from chaos import nodes
from chaos.postgresql import Database, pod_spec
from orders_operator.objects import Object
from tests.helpers.cluster.kubectl import Namespace
from tests.helpers.cluster.postgresql import PORT, url
from tests.helpers.cluster.workloads import service

FIRST: Final = "first"
SECOND: Final = "second"
_NAME: Final = "orders"
_FOLLOW: Final = (
    f"pg_basebackup --host={FIRST} --username=postgres --pgdata=$PGDATA --wal-method=stream"
    " --checkpoint=fast --write-recovery-conf && chmod 700 $PGDATA && exec postgres"
)


class Pair:
    """Two servers, one of which takes writes."""

    def __init__(self, namespace: Namespace) -> None:
        self._namespace = namespace
        self.url = url(f"{FIRST}.{namespace.name}.svc,{SECOND}.{namespace.name}.svc", _NAME)

    def start(self) -> None:
        """Return when a commit on the first waits for the second."""
        self._namespace.apply(_pod(FIRST), service(FIRST, PORT), service(SECOND, PORT))
        self._namespace.wait(f"pod/{FIRST}", "condition=Ready", 90)
        allow = "echo 'host replication all all scram-sha-256' >>$PGDATA/pg_hba.conf"
        self._namespace.kubectl("exec", FIRST, "--", "sh", "-c", allow)
        first = self._database(FIRST, "postgres")
        first.sql("SELECT pg_reload_conf()")
        first.sql(f"CREATE DATABASE {_NAME}")
        self._namespace.apply(_pod(SECOND, ["sh", "-ec", _FOLLOW]))
        self._namespace.wait(f"pod/{SECOND}", "condition=Ready", 90)
        # After the copy was made, which would have this setting too, and wait for nobody.
        first.sql("ALTER SYSTEM SET synchronous_standby_names = '*'")
        first.sql("SELECT pg_reload_conf()")
        self._namespace.until(lambda: _is_synchronous(first), 20, "the replica is synchronous")

    @property
    def first(self) -> Database:
        """Return the database on the primary that is to fail."""
        return self._database(FIRST, _NAME)

    def remove(self) -> None:
        """Delete both."""
        self._namespace.kubectl("delete", "pod,service", FIRST, SECOND, "--grace-period=1")

    def fail_over(self) -> Database:
        """Kill the primary for good, and promote the other; return the database there."""
        nodes.kill(self._namespace.get("pod", FIRST))
        second = self._database(SECOND, _NAME)
        second.sql("SELECT pg_promote(wait => true)")
        return second

    def _database(self, pod: str, name: str) -> Database:
        return Database(self._namespace, f"pod/{pod}", name)


def _is_synchronous(first: Database) -> bool:
    return first.sql("SELECT sync_state FROM pg_stat_replication") == "sync"


def _pod(name: str, command: list[str] | None = None) -> Object:
    return {
        "apiVersion": "v1",
        "kind": "Pod",
        "metadata": {"name": name, "labels": {"app": name}},
        "spec": {**pod_spec({"emptyDir": {}}, command), "restartPolicy": "Never"},
    }
