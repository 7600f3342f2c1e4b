"""Disruptions, under load, in the cluster of `make cluster`; `CHAOS` says in which form.

Run by `make chaos`, in the order below. What was measured becomes docs/reliability.md, or in the
short form a page in the folder that `CHAOS_RESULTS` names. `RELEASE=installed` says that the
release is that of now already.
"""

import os
import tempfile
import uuid
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Final

import pytest
from filelock import FileLock

from bench.machine import describe
from tests.chaos import nodes, report, results, sizes
from tests.chaos.catalogue import disruption
from tests.chaos.experiment import Experiment
from tests.chaos.postgresql import Database, Server
from tests.chaos.results import Results
from tests.chaos.shop import Shop
from tests.chaos.sizes import Size
from tests.e2e.cluster import OPERATOR, ROOT, Namespace, helm, order_service, run, secret
from tests.e2e.release import RELEASE, chart_before, missing, remove

ORDER: Final = (
    "test_rollouts",
    "test_scaling",
    "test_overload",
    "test_control_plane",
    "test_neighbours",
    "test_secrets",
    "test_pods",
    "test_embedded",
    "test_postgresql",
    "test_network",
    "test_canary",
    "test_analysis",
    "test_soak",
    "test_together",
)
BESIDE: Final = (
    "test_secrets",
    "test_pods",
    "test_embedded",
    "test_postgresql",
    "test_network",
)
"""What disrupts an OrderService and a PostgreSQL of its own: these have the mark `beside`.

Not canaries, although they do: one is judged by its latency beside that of stable pods.
"""
_BEFORE: Final = pytest.StashKey[int]()
"""When results were last written before this run."""
Serve = Callable[..., Shop]
"""Makes an OrderService: by its name, a database with its URL, and fields of its spec.

Without a URL the spec must say which database it is, and there is no Secret.
"""
Try = Callable[[str], Experiment]
"""Begins the experiment with this key of the catalogue."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests in order; leave them out, in one line, when nobody asked for them."""
    ours = [item for item in items if "chaos" in item.path.parts]
    others = [item for item in items if "chaos" not in item.path.parts]
    size = sizes.asked()
    why = "CHAOS is not set" if size is None else missing()
    if size is None or why:
        config.hook.pytest_deselected(items=ours)
        items[:] = others
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"tests/chaos is left out: {why}; `make chaos` runs it")
        return
    for item in ours:
        item.add_marker(pytest.mark.timeout(600 + size.warm_up + size.soak))
        if item.path.stem in BESIDE:
            item.add_marker("beside")
    config.stash[_BEFORE] = _written(size)
    ours.sort(key=lambda item: ORDER.index(item.path.stem))
    items[:] = others + ours


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Write the page, whatever came of the tests, and say in a line each what was measured."""
    size = sizes.asked()
    if size is None or config.stash.get(_BEFORE, 0) == _written(size):
        return
    kept = results.load(_folder(size) / report.DATA)
    report.write(kept, _folder(size))
    terminalreporter.section("disruptions")
    for line in report.lines(kept):
        terminalreporter.write_line(line)
    terminalreporter.write_line(f"All of it is in {_folder(size) / report.PAGE}")


@cache
def _folder(size: Size) -> Path:
    """Return where results are kept."""
    if size.name != "short":
        return ROOT / "docs"
    return Path(os.environ.get("CHAOS_RESULTS") or tempfile.mkdtemp(prefix="reliability-"))


def _written(size: Size) -> int:
    """Return when results were last written, in nanoseconds since 1970; 0 if never."""
    file = _folder(size) / report.DATA
    return file.stat().st_mtime_ns if file.exists() else 0


@pytest.fixture(scope="session")
def size() -> Size:
    """Say how long and how hard."""
    found = sizes.asked()
    assert found is not None
    return found


@pytest.fixture(scope="session")
def found(size: Size) -> Results:
    """Return what was measured so far."""
    return results.load(_folder(size) / report.DATA)


@pytest.fixture
def attempt(size: Size) -> Try:
    """Begin experiments; one that takes too long for this form is left out."""

    def begin(key: str) -> Experiment:
        tried = disruption(key)
        if size.name == "short" and not tried.quick:
            pytest.skip("it is not tried in the short form")
        return Experiment(tried, size.name, keep)

    def keep(result: results.Result) -> None:
        file = _folder(size) / report.DATA
        with FileLock(Path(tempfile.gettempdir()) / f"{file.name}.lock"):
            kept = results.load(file)
            kept.machine = describe()
            kept.found[result.key] = result
            results.save(kept, file)

    return begin


@pytest.fixture(scope="session")
def release_before(tmp_path_factory: pytest.TempPathFactory) -> Namespace:
    """Install the chart of a release before on a cluster that has nothing of it."""
    default = Namespace("default")
    remove()
    chart = chart_before(tmp_path_factory.mktemp("chart"))
    helm("install", RELEASE, str(chart), "--set=crds.upgrade=false", "--set=shutdown.delay=1s")
    default.rolled_out(RELEASE, 120)
    return default


@pytest.fixture(scope="session")
def installed(request: pytest.FixtureRequest) -> Namespace:
    """Have the chart of now, without an OrderService; the namespace of its operator."""
    if os.environ.get("RELEASE") == "installed":
        return Namespace("default")
    before: Namespace = request.getfixturevalue("release_before")
    helm("upgrade", RELEASE, "charts/orders", "--set=orderService.enabled=false")
    before.kubectl("rollout", "status", f"deployment/{OPERATOR}", "--timeout=90s")
    return before


@pytest.fixture(scope="session")
def namespace() -> Iterator[Namespace]:
    """Make a namespace for all that the tests need."""
    made = Namespace(f"chaos-{uuid.uuid4().hex[:4]}")
    run("kubectl", "create", "namespace", made.name)
    yield made
    run("kubectl", "delete", "namespace", made.name, "--wait=false")


@pytest.fixture(scope="session")
def calm() -> str:
    """Return the node of what must not be disrupted by chance: the load and PostgreSQL."""
    return nodes.workers()[0]


@pytest.fixture(scope="session")
def postgresql(namespace: Namespace, calm: str) -> Iterator[Server]:
    """Run a PostgreSQL that all may use."""
    server = Server(namespace, calm)
    server.start()
    yield server
    server.remove()


@pytest.fixture(scope="session")
def make(
    installed: Namespace,  # noqa: ARG001  the operator must be there
    namespace: Namespace,
    postgresql: Server,
    calm: str,
    size: Size,
) -> Serve:
    """Make OrderServices, each with a database of its own; return one when it serves."""

    def serve(name: str, on: tuple[Database, str | None] | None = None, **spec: Any) -> Shop:
        database, url = on or postgresql.make()
        if url is not None:
            namespace.apply(secret(f"{name}-database", url=url))
        spec = {"database": {"secretRef": {"name": f"{name}-database"}}} | spec
        namespace.apply(order_service(name, **spec))
        made = Shop(namespace, name, database, calm, size)
        made.ready()
        return made

    return serve


@pytest.fixture
def serve(make: Serve, namespace: Namespace) -> Iterator[Serve]:
    """Make OrderServices for one test."""
    names: list[str] = []

    def serving(name: str, on: tuple[Database, str | None] | None = None, **spec: Any) -> Shop:
        names.append(name)
        return make(name, on, **spec)

    yield serving
    if names:
        namespace.kubectl("delete", "orderservice", *names, "--ignore-not-found", "--timeout=60s")


@pytest.fixture(scope="session")
def shop(make: Serve) -> Shop:
    """Have an OrderService of three pods that many tests share; each leaves three."""
    return make("shop", replicas=3)
