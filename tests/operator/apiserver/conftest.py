"""An API server of the tests' own, and a namespace of it for each test.

Run by `make e2e`, before the tests of a whole cluster: what these find is found within minutes.
"""

import gc
from collections.abc import AsyncIterator, Iterator

import pytest

from orders_operator import definition
from tests.helpers.apiserver.api_server import ADMIN, ApiServer
from tests.helpers.apiserver.operator_namespace import World
from tests.helpers.cluster.release import missing


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests out, in one line, where there is no cluster."""
    ours = [item for item in items if "apiserver" in item.path.parts]
    why = missing() if ours else None
    if why is None:
        return
    config.hook.pytest_deselected(items=ours)
    items[:] = [item for item in items if item not in ours]
    reporter = config.pluginmanager.get_plugin("terminalreporter")
    if reporter is not None:
        reporter.write_line(
            f"tests/operator/apiserver is left out: {why}; `make e2e` makes a cluster for it"
        )


@pytest.fixture
def collected() -> Iterator[None]:
    """Blame no other test for what is not closed."""
    yield
    gc.collect()


@pytest.fixture(scope="session")
def apiserver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ApiServer]:
    """Run an API server that has the CRD; KUBECONFIG is that of its administrator."""
    server = ApiServer(tmp_path_factory.mktemp("apiserver"))
    try:
        server.start()
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("KUBECONFIG", str(server.kubeconfig(ADMIN)))
            assert 0 == definition.apply()
        yield server
    finally:
        server.stop()


@pytest.fixture
def kubeconfig(apiserver: ApiServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have clients that the test makes reach that API server."""
    monkeypatch.setenv("KUBECONFIG", str(apiserver.kubeconfig(ADMIN)))


@pytest.fixture
async def world(kubeconfig: None) -> AsyncIterator[World]:  # noqa: ARG001  it connects
    """Have a namespace with an operator and all who work there, but no OrderService yet."""
    async with World() as made:
        yield made
