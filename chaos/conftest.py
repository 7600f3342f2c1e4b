"""Disruptions, under load, in the cluster of `make cluster`; `CHAOS` says in which form.

`make chaos` runs them in the order below. The results become docs/reliability.md, or in the short
form a page in a temporary folder.
"""

import tempfile
import uuid
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from bench.machine import describe
from chaos import nodes, report, results, sizes
from chaos.catalogue import disruption
from chaos.experiment import Experiment
from chaos.postgresql import Database, Server
from chaos.results import Results
from chaos.shop import Shop
from chaos.sizes import Size
from tests.helpers.cluster.kubectl import OPERATOR, Namespace, helm, order_service, run, secret
from tests.helpers.cluster.release import RELEASE, chart_before, missing, remove
from tests.helpers.paths import ROOT
from tools.release.last import released_chart

HERE: Final = Path(__file__).parent
ORDER: Final = (
    "test_rollouts",
    "test_secrets",
    "test_scaling",
    "test_pods",
    "test_embedded",
    "test_postgresql",
    "test_overload",
    "test_control_plane",
    "test_network",
    "test_neighbours",
    "test_canary",
    "test_analysis",
    "test_soak",
    "test_together",
)

_TOLD: Final = pytest.StashKey[list[str]]()
Serve = Callable[..., Shop]
"""Makes an OrderService: by its name, a database with its URL, and fields of its spec.

Without a URL the spec must say which database it is, and there is no Secret.
"""
Try = Callable[[str], Experiment]
"""Begins the experiment with this key of the catalogue."""


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put the tests in order; leave them out, in one line, when nobody asked for them."""
    ours = [item for item in items if item.path.is_relative_to(HERE)]
    others = [item for item in items if not item.path.is_relative_to(HERE)]
    size = sizes.asked()
    why = "CHAOS is not set" if size is None else missing()
    if size is None or why:
        config.hook.pytest_deselected(items=ours)
        items[:] = others
        reporter = config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"chaos is left out: {why}; `make chaos` runs it")
        return
    for item in ours:
        item.add_marker(pytest.mark.timeout(600 + size.warm_up + size.soak))
    ours.sort(key=lambda item: ORDER.index(item.path.stem))
    items[:] = others + ours


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    """Print one line for each figure that was measured."""
    told = config.stash.get(_TOLD, [])
    if told:
        terminalreporter.section("disruptions")
    for line in told:
        terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def size() -> Size:
    """Say how long and how hard."""
    found = sizes.asked()
    assert found is not None
    return found


@pytest.fixture(scope="session")
def found(size: Size, pytestconfig: pytest.Config) -> Iterator[Results]:
    """Collect results; the page is written at the end, whatever came of them."""
    short = size.name == "short"
    folder = Path(tempfile.mkdtemp(prefix="reliability-")) if short else ROOT / "docs"
    kept = results.load(folder / report.DATA)
    kept.machine = describe()
    yield kept
    report.write(kept, folder)
    pytestconfig.stash[_TOLD] = [*report.lines(kept), f"All of it is in {folder / report.PAGE}"]


@pytest.fixture
def attempt(found: Results, size: Size) -> Try:
    """Begin experiments; one that takes too long for this form is left out."""

    def begin(key: str) -> Experiment:
        tried = disruption(key)
        if size.name == "short" and not tried.quick:
            pytest.skip("it is not tried in the short form")

        def keep(result: results.Result) -> None:
            found.found[key] = result

        return Experiment(tried, size.name, keep)

    return begin


@pytest.fixture(scope="session")
def release_before(tmp_path_factory: pytest.TempPathFactory) -> Namespace:
    """Install the chart of an earlier release on a cluster that has none of it."""
    default = Namespace("default")
    remove()
    chart = released_chart() or (str(chart_before(tmp_path_factory.mktemp("chart"))),)
    helm("install", RELEASE, *chart, "--set=crds.upgrade=false", "--set=shutdown.delay=1s")
    default.rolled_out(RELEASE, 120)
    return default


@pytest.fixture(scope="session")
def installed(release_before: Namespace) -> Namespace:
    """Have the chart of now, without an OrderService; the namespace of its operator."""
    helm("upgrade", RELEASE, "charts/orders", "--set=orderService.enabled=false")
    release_before.kubectl("rollout", "status", f"deployment/{OPERATOR}", "--timeout=90s")
    return release_before


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
