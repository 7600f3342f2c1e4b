"""A real cluster with the chart in it, installed once for all tests.

Each test says by its fixtures what it needs of the release, and runs in that order. First, beside
each other, run the tests that stay in namespaces of their own; the files with the mark
`starts_early` start first. Then, one by one, run those that need the cluster for themselves.
"""

import signal
import time
import uuid
from collections.abc import Iterator
from itertools import groupby
from operator import attrgetter
from pathlib import Path
from typing import Final, NamedTuple

import pytest
from filelock import FileLock

from tests.helpers.cluster import staged_rollout as standing
from tests.helpers.cluster.kubectl import Namespace, helm, order_service, restrict, run, secret
from tests.helpers.cluster.page_reader import ON_THE_WAY, paste
from tests.helpers.cluster.postgresql import PostgreSQL
from tests.helpers.cluster.release import RELEASE, missing, remove
from tests.helpers.page_blocks import block

ALONE: Final = ("fresh_release", "restored_release", "operator_away", "release_removed")
"""The fixtures of tests that run alone, in the order in which these run."""


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
        if _stage(item):
            item.add_marker("alone")
    files = [list(file) for _, file in groupby(ours, attrgetter("path"))]
    items[:] = others + [item for file in sorted(files, key=_turn) for item in file]


def _turn(file: list[pytest.Item]) -> tuple[int, float, Path]:
    """Return what the files of tests are sorted by."""
    early = file[0].get_closest_marker("starts_early")
    return max(map(_stage, file)), -early.kwargs["seconds"] if early else 0, file[0].path


def _stage(item: pytest.Item) -> int:
    """Return 0 for a test that runs beside others, else the place of its fixture in ALONE."""
    assert isinstance(item, pytest.Function)
    asked = [number for number, name in enumerate(ALONE, 1) if name in item.fixturenames]
    return max(asked, default=0)


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
    remove()
    restrict("default")
    started = time.monotonic()
    [make_cluster, *_] = block("README.md", "make cluster").splitlines()
    paste(make_cluster, environ=ON_THE_WAY)
    helm("test", RELEASE)
    return time.monotonic() - started


@pytest.fixture(scope="session")
def cluster_alone(worker_id: str) -> Namespace:
    """Have the cluster with nothing beside the test; the namespace of the release."""
    if worker_id != "master":
        pytest.fail("this test needs the cluster for itself: run it with -m alone, in one process")
    return Namespace("default")


@pytest.fixture(scope="session")
def fresh_release(cluster_alone: Namespace, installed: Installed) -> Installed:
    """Have the release as Helm installed it: no test has changed it yet."""
    return installed._replace(namespace=cluster_alone)


@pytest.fixture(scope="session")
def restored_release(cluster_alone: Namespace) -> Namespace:
    """Have the release for tests that change it, or time its operator, and put it back."""
    return cluster_alone


@pytest.fixture(scope="session")
def operator_away(cluster_alone: Namespace) -> Namespace:
    """Have the release for tests that take its operator away, and bring it back."""
    return cluster_alone


@pytest.fixture(scope="session")
def release_removed(cluster_alone: Namespace) -> Namespace:
    """Have the release for tests that remove it: no other test can run after them."""
    return cluster_alone


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
