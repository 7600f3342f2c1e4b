"""Every command of the images, in the images."""

import json
import signal
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from orders import __version__
from orders.embedded import EmbeddedPostgres
from orders_operator import __version__ as operator_version
from tests.helpers.postgres import QUICK, reachable_folder
from tests.tools.image.conftest import LOCKED_DOWN, Image, docker

pytestmark = pytest.mark.timeout(180)

SOCKETS = "/sockets"
URL = "postgresql://postgres@%2Fsockets:5432/orders"
ANSWER = """
import sys, urllib.request
with urllib.request.urlopen(sys.argv[1]) as answer:
    print(answer.status, len(answer.read()) > 0)
"""


@pytest.fixture(scope="module")
def sockets() -> Iterator[Path]:
    """Run PostgreSQL; yield the folder where it listens."""
    with reachable_folder() as data, tempfile.TemporaryDirectory(prefix="orders-") as place:
        folder = Path(place)
        folder.chmod(0o777)
        server = EmbeddedPostgres(
            data, settings=QUICK | {"unix_socket_directories": f'"{folder}"'}
        )
        server.start()
        yield folder
        server.stop("immediate")


def test_it_tells_its_version(service: Image) -> None:
    """`orders --version` is the package's."""
    assert f"orders {__version__}\n" == service.run("--version").stdout


def test_it_keeps_signals_that_come_too_early(service: Image) -> None:
    """They are blocked from the first moment on; the program heeds them as soon as it can."""
    *prefix, program = service.config["Entrypoint"]
    assert "orders" == program
    told = "import signal; print(*sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))"
    entry, *options = prefix
    done = service.run(*options, "python3", "-c", told, options=(f"--entrypoint={entry}",))
    assert f"{signal.SIGINT:d} {signal.SIGTERM:d}\n" == done.stdout, done.stderr


def test_it_tells_its_configuration(service: Image) -> None:
    """`orders config` prints what is in force, in both forms."""
    assert "HTTP_PORT" in service.run("config").stdout
    assert "HTTP_PORT" in json.loads(service.run("config", "--json").stdout)


def test_its_pages_are_those_of_the_source(service: Image, root: Path) -> None:
    """Pages that are made from the code come out of the image as out of the source."""
    page = (root / "docs/configuration.md").read_text("utf-8")
    assert page == service.run("config", "--reference").stdout
    document = json.loads((root / "docs/openapi.json").read_text("utf-8"))
    assert document == json.loads(service.run("openapi").stdout)


def test_trying_out_needs_more_than_the_image(service: Image) -> None:
    """`orders dev` has no PostgreSQL in the image, and says what to do."""
    done = service.run("dev", options=("--tmpfs=/data:mode=1777", "--env=ORDERS_DATA_DIR=/data"))
    assert done.returncode == 1
    assert "set DATABASE_URL" in done.stderr


def test_checking_migrations_needs_more_than_the_image(service: Image) -> None:
    """`orders migrate check` has no parser in the image, and says what to install."""
    done = service.run("migrate", "check")
    assert done.returncode == 2
    assert done.stderr.endswith("install orders-service[check]\n")


@pytest.mark.parametrize("exporter", ["none", "otlp", "zipkin", "console"])
def test_it_migrates_and_takes_orders(service: Image, sockets: Path, exporter: str) -> None:
    """With each way to export spans: migrate, serve, an order, the docs, the metrics, SIGTERM."""
    database = (f"--volume={sockets}:{SOCKETS}", f"--env=DATABASE_URL={URL}")
    migrated = service.run("migrate", "--wait", "30", options=database)
    assert migrated.returncode == 0, migrated.stderr
    status = service.run("migrate", "--status", options=database)
    assert status.returncode == 0, status.stderr

    tracing = () if exporter == "none" else ("--env=TRACER_URL=http://127.0.0.1:9/x",)
    started = docker(
        "run", "--detach", *LOCKED_DOWN, *database, *tracing, "--env=SHUTDOWN_DELAY=0",
        f"--env=OTEL_TRACES_EXPORTER={exporter}", service.tag,
    )  # fmt: skip
    assert started.returncode == 0, started.stderr
    container = started.stdout.strip()
    try:
        smoke = docker(
            "exec", container, "orders", "smoke", "http://127.0.0.1:8000", "--wait", "30"
        )
        assert smoke.returncode == 0, smoke.stderr + docker("logs", container).stdout
        for place in (
            "8000/livez", "8000/readyz", "8000/startupz", "8000/docs", "8000/openapi.json",
            "8000/orders?limit=1", "2121/metrics",
        ):  # fmt: skip
            url = f"http://127.0.0.1:{place}"
            answer = docker("exec", container, "python3", "-c", ANSWER, url)
            assert "200 True\n" == answer.stdout, place + answer.stderr
        docker("stop", "--time", "30", container)
        state = docker("inspect", "--format", "{{.State.ExitCode}}", container)
        logs = docker("logs", container)
        assert "0\n" == state.stdout, logs.stdout
        assert "ModuleNotFoundError" not in logs.stdout + logs.stderr
        assert "Traceback" not in logs.stdout + logs.stderr
    finally:
        docker("rm", "--force", container)


def test_the_operator_tells_its_version(operator: Image) -> None:
    """`orders-operator --version` is the package's."""
    assert f"orders-operator {operator_version}\n" == operator.run("--version").stdout


def test_the_operator_prints_the_definition(operator: Image) -> None:
    """`orders-operator crd` prints the definition as YAML."""
    definition = yaml.safe_load(operator.run("crd").stdout)
    assert "orderservices.orders.dev" == definition["metadata"]["name"]


@pytest.mark.parametrize("arguments", [("run",), ("crd", "--apply"), ("crd", "--delete")])
def test_the_operator_needs_a_cluster(operator: Image, arguments: tuple[str, ...]) -> None:
    """Outside a cluster it ends with a message, for a reason that is not a missing module."""
    done = operator.run(*arguments)
    assert done.returncode not in {0, 126, 127}
    assert "ModuleNotFoundError" not in done.stdout + done.stderr
