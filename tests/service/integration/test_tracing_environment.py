"""OpenTelemetry's variables at the real service: what the resource has, and where spans go."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from importlib.metadata import version

import httpx
import pytest

from orders import __version__
from tests.helpers.collector import Collector, GrpcCollector, Received
from tests.helpers.ports import free_port
from tests.helpers.server import Server

Start = Callable[..., Server]
ORDER = {"item": "tea", "quantity": 1}


@pytest.fixture
def other() -> Iterator[Collector]:
    """Listen elsewhere."""
    with Collector() as listening:
        yield listening


def spans_of(server: Server, collector: Received) -> int:
    """Place an order, stop the service, count the spans of the request."""
    assert 201 == httpx.post(f"{server.url}/orders", json=ORDER).status_code
    assert 0 == server.stop()
    return len(collector.named("POST /orders"))


def refused(*, code: str = "", **environ: str) -> str:
    """Return the one line that the service ends with, and check that the status is 2."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    ports = {"HTTP_PORT": str(free_port()), "METRICS_PORT": str(free_port())}
    database = {"DATABASE_URL": "postgresql://nobody@127.0.0.1:1/nothing"}
    run = f"{code}\nimport sys\nfrom orders.cli import main\nsys.exit(main(['serve']))"
    done = subprocess.run(
        [sys.executable, "-c", run],
        env=kept | ports | database | environ,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    assert 2 == done.returncode, done
    [line] = done.stderr.splitlines()
    return line


def test_attributes_of_the_resource_win_over_defaults(
    database_url: str, serve: Start, collector: Collector
) -> None:
    """Name and version are what they say, before GoFr's APP_NAME; the SDK names itself."""
    server = serve(
        DATABASE_URL=database_url,
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        OTEL_RESOURCE_ATTRIBUTES="service.name=shop,service.version=7%2B1,k8s.pod.name=a",
        APP_NAME="app",
    )
    spans_of(server, collector)

    sdk = {
        "telemetry.sdk.language": "python",
        "telemetry.sdk.name": "opentelemetry",
        "telemetry.sdk.version": version("opentelemetry-sdk"),
    }
    set_here = {"service.name": "shop", "service.version": "7+1", "k8s.pod.name": "a"}
    assert (sdk | set_here).items() <= collector.resources[0].items()


def test_the_resource_has_defaults(database_url: str, serve: Start, collector: Collector) -> None:
    """The version is the release's; OTEL_SERVICE_NAME wins over an attribute."""
    server = serve(
        DATABASE_URL=database_url,
        OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
        OTEL_RESOURCE_ATTRIBUTES="service.name=shop",
        OTEL_SERVICE_NAME="own",
    )
    spans_of(server, collector)
    resource = collector.resources[0]

    assert resource["service.instance.id"]
    assert ("own", __version__) == (resource["service.name"], resource["service.version"])


def test_the_exporter_decides_which_endpoint_counts(
    database_url: str, serve: Start, collector: Collector, other: Collector
) -> None:
    """Zipkin's spans go to Zipkin's endpoint, OTLP's to OTLP's, whatever else is set."""
    endpoints = {
        "OTEL_EXPORTER_OTLP_ENDPOINT": collector.url,
        "OTEL_EXPORTER_ZIPKIN_ENDPOINT": f"{other.url}/api/v2/spans",
        "TRACER_URL": "http://127.0.0.1:9/nowhere",
    }
    for exporter in ("zipkin", "otlp"):
        server = serve(DATABASE_URL=database_url, OTEL_TRACES_EXPORTER=exporter, **endpoints)
        spans_of(server, collector)

    assert {"/v1/traces"} == set(collector.paths)
    assert [] == collector.zipkin
    assert {"/api/v2/spans"} == set(other.paths)
    assert {"POST /orders", "INSERT orders"} == {span["name"] for span in other.zipkin}


def test_zipkins_endpoint_alone_is_enough(
    database_url: str, serve: Start, collector: Collector
) -> None:
    """Without a name for the exporter it is the one whose endpoint is set."""
    server = serve(
        DATABASE_URL=database_url, OTEL_EXPORTER_ZIPKIN_ENDPOINT=f"{collector.url}/api/v2/spans"
    )
    spans_of(server, collector)

    assert "POST /orders" in {span["name"] for span in collector.zipkin}


@pytest.mark.parametrize(
    "off", [{"OTEL_TRACES_EXPORTER": "none"}, {"OTEL_SDK_DISABLED": "true"}], ids=str
)
def test_what_is_off_needs_nothing_else_to_be_right(
    database_url: str, serve: Start, off: dict[str, str]
) -> None:
    """With tracing off no other variable of it is read, so none can keep the service away."""
    wrong = {
        "OTEL_TRACES_EXPORTER": "pigeon",
        "OTEL_SDK_DISABLED": "perhaps",
        "OTEL_TRACES_SAMPLER": "some",
        "OTEL_TRACES_SAMPLER_ARG": "2",
        "OTEL_EXPORTER_OTLP_ENDPOINT": "collector",
        "OTEL_EXPORTER_ZIPKIN_ENDPOINT": "collector",
        "OTEL_EXPORTER_OTLP_PROTOCOL": "pigeon",
        "OTEL_EXPORTER_OTLP_HEADERS_FILE": "/nowhere",
        "OTEL_EXPORTER_OTLP_TIMEOUT": "soon",
        "OTEL_RESOURCE_ATTRIBUTES": "tea",
        "OTEL_BSP_SCHEDULE_DELAY": "0",
        "OTEL_BSP_MAX_QUEUE_SIZE": "0",
        "OTEL_SERVICE_NAME": "a\nb",
        "OTEL_SPAN_LINK_COUNT_LIMIT": "many",
    }
    server = serve(DATABASE_URL=database_url, **(wrong | off))

    assert 0 == spans_of(server, Received())


def test_spans_travel_over_grpc(database_url: str, serve: Start) -> None:
    """With OTEL_EXPORTER_OTLP_PROTOCOL=grpc they arrive at a gRPC collector, with the headers."""
    with GrpcCollector() as collector:
        server = serve(
            DATABASE_URL=database_url,
            OTEL_EXPORTER_OTLP_PROTOCOL="grpc",
            OTEL_EXPORTER_OTLP_ENDPOINT=collector.url,
            OTEL_EXPORTER_OTLP_HEADERS="X-Api-Key=a%20b",
            OTEL_SERVICE_NAME="shop",
        )
        assert 1 == spans_of(server, collector)

    assert "a b" == collector.headers[0]["x-api-key"]
    assert "shop" == collector.resources[0]["service.name"]


def test_grpc_that_is_not_installed_says_what_to_install() -> None:
    """The line names the variable, and the extra that has the exporter."""
    line = refused(
        code="import sys; sys.modules['grpc'] = None", OTEL_EXPORTER_OTLP_PROTOCOL="grpc"
    )

    assert line == (
        "orders: OTEL_EXPORTER_OTLP_PROTOCOL is 'grpc'; allowed: http/protobuf; or grpc, which"
        " needs orders-service[grpc] to be installed"
    )


def test_a_variable_that_only_the_sdk_reads_is_told_too() -> None:
    """What the SDK refuses is one line that names it, and the status of a bad configuration."""
    line = refused(
        OTEL_EXPORTER_OTLP_ENDPOINT="http://127.0.0.1:9",
        OTEL_EXPORTER_OTLP_PROTOCOL="grpc",
        OTEL_EXPORTER_OTLP_TIMEOUT="soon",
    )

    assert line.startswith(
        "orders: OpenTelemetry's SDK does not accept OTEL_EXPORTER_OTLP_TIMEOUT"
    )
    assert "soon" in line
