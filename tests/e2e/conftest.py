"""A real cluster with the chart in it, installed once for all tests.

Run by `make e2e`, in the order below: first, beside each other, what needs nothing but an
operator, then one by one what needs the cluster for itself. Of that, what takes the operator away
comes last.
"""

import signal
import time
import uuid
from collections.abc import Iterator
from typing import Final, NamedTuple

import pytest
from filelock import FileLock

from tests.helpers.cluster import staged_rollout as standing
from tests.helpers.cluster.kubectl import Namespace, helm, order_service, restrict, run, secret
from tests.helpers.cluster.postgresql import PostgreSQL
from tests.helpers.cluster.release import RELEASE, missing, remove

BESIDE: Final = (
    "test_canary",
    "test_rotation",
    "test_callers",
    "test_monitoring",
    "test_metrics_auth",
    "test_rollouts",
    "test_database",
    "test_leaving",
    "test_samples",
    "test_autoscaling",
    "test_waiting",
    "test_options",
    "test_plugin",
    "test_failures",
    "test_scaling",
    "test_following",
    "test_policies",
    "test_gateway",
    "test_tracing",
)
"""What stays in namespaces of its own; what asks for much has something light beside it."""
ALONE: Final = (
    "test_install",
    "test_drift",
    "test_operator_policies",
    "test_operator",
    "test_upgrade",
    "test_removal",
)
"""What changes the release or the cluster, or times the operator: these have the mark `alone`."""
ORDER: Final = BESIDE + ALONE


@pytest.fixture(scope="session", autouse=True)
def interruptible() -> None:
    """Have children that Ctrl-C ends: a shell has what it runs in its background ignore it."""
    signal.signal(signal.SIGINT, signal.default_int_handler)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests in order; leave them out, in one line, where there is no cluster."""
    ours = [item for item in items if "e2e" in item.path.parts]
    others = [item for item in items if "e2e" not in item.path.parts]
    if why := missing():
        config.hook.pytest_deselected(items=ours)
        items[:] = others
        _say(config, f"tests/e2e is left out: {why}; `make e2e` makes a cluster for it")
        return
    for item in ours:
        item.add_marker(pytest.mark.timeout(420))
        if item.path.stem in ALONE:
            item.add_marker("alone")
    ours.sort(key=lambda item: ORDER.index(item.path.stem))
    items[:] = others + ours


def _say(config: pytest.Config, line: str) -> None:
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(line)


class Installed(NamedTuple):
    """The release, and how long it took to the first order."""

    namespace: Namespace
    seconds: float


@pytest.fixture(scope="session")
def installed(tmp_path_factory: pytest.TempPathFactory, worker_id: str) -> Installed:
    """Install the chart on a cluster that has nothing of it, and place the first order.

    The namespace enforces the restricted Pod Security Standard: hooks, tests and the embedded
    database run in it, too. Of workers beside each other, one installs it for all.
    """
    folder = tmp_path_factory.getbasetemp()
    told = (folder if worker_id == "master" else folder.parent) / "installed"
    with FileLock(f"{told}.lock"):
        if not told.exists():
            told.write_text(str(_install()))
    return Installed(Namespace("default"), float(told.read_text()))


def _install() -> float:
    """Do it; return the seconds to the first order."""
    default = Namespace("default")
    remove()
    restrict("default")
    started = time.monotonic()
    helm("install", RELEASE, "charts/orders")
    default.rolled_out(RELEASE, 120)
    helm("test", RELEASE)
    return time.monotonic() - started


@pytest.fixture(scope="session")
def postgresql(worker_id: str) -> Iterator[PostgreSQL]:
    """Run a PostgreSQL of the tests' own, which pods of every namespace may use."""
    server = PostgreSQL(f"databases-{worker_id}")
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="module")
def namespace(
    installed: Installed,  # noqa: ARG001  the operator must be there
    postgresql: PostgreSQL,
    request: pytest.FixtureRequest,
) -> Iterator[Namespace]:
    """Make a namespace for a module, with a Secret `database` for its OrderServices."""
    module = request.path.stem.removeprefix("test_").replace("_", "-")
    made = Namespace(f"{module}-{uuid.uuid4().hex[:4]}")
    run("kubectl", "create", "namespace", made.name)
    made.apply(secret("database", url=postgresql.database()))
    yield made
    run("kubectl", "delete", "namespace", made.name, "--wait=false")


@pytest.fixture(scope="module")
def service(namespace: Namespace) -> str:
    """Have an OrderService `shared` ready; its name."""
    namespace.apply(order_service("shared"))
    namespace.rolled_out("shared", 90)
    return "shared"


@pytest.fixture(scope="module")
def staged(namespace: Namespace) -> str:
    """Have a rollout that stands still; its name."""
    standing.build(namespace)
    return standing.NAME
