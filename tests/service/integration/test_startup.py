"""How the server starts: lightly, or with one line that says why not."""

import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from tests.helpers import without_ipv6
from tests.helpers.server import START_LIMIT, Server

HEAVY = ("litestar", "opentelemetry", "prometheus_client", "pydantic", "httpx", "asyncpg")


def test_what_orders_need_imports_no_framework() -> None:
    """The server and its hot path come without what only other requests need."""
    program = f"import orders.serve, sys; print(*sorted({set(HEAVY)} & set(sys.modules)))"
    found = subprocess.check_output([sys.executable, "-c", program], text=True)

    assert "" == found.strip()


@pytest.mark.parametrize("url", ["collector", "localhost:4318", "http://collector:port"])
def test_a_collector_without_a_url_is_said_in_one_line(
    serve: Callable[..., Server], url: str
) -> None:
    """What is no URL ends the process with 2 and one line."""
    server = serve(DB_HOST="localhost", TRACER_URL=url, wait_for=None, status=2)

    assert 2 == server.process.wait(START_LIMIT)
    assert f"orders: TRACER_URL is '{url}'; allowed: an http or https URL\n" == server.output()


@pytest.mark.parametrize("host", ["localhost", "a b", "*", "256.0.0.1"])
@pytest.mark.parametrize("command", ["serve", "dev"])
def test_a_host_that_is_no_address_is_said_in_one_line(
    serve: Callable[..., Server], command: str, host: str
) -> None:
    """A name to listen on ends the process with 2 and one line that blames no port."""
    server = serve(command, DB_HOST="localhost", HTTP_HOST=host, wait_for=None, status=2)
    status = server.process.wait(START_LIMIT)

    assert 2 == status
    assert server.output().startswith(f"orders: HTTP_HOST is '{host}'; allowed: an IP address")
    assert 1 == len(server.output().splitlines())


def test_an_address_of_another_machine_is_said_in_one_line(
    serve: Callable[..., Server], database_url: str
) -> None:
    """An address that this machine does not have is no fault of the port."""
    there = "192.0.2.1"  # RFC 5737: nobody has it
    server = serve(DATABASE_URL=database_url, HTTP_HOST=there, wait_for=None, status=1)
    status = server.process.wait(START_LIMIT)

    assert 1 == status
    assert f"orders: HTTP_HOST is {there}: Cannot assign requested address\n" == server.output()


@pytest.mark.parametrize("port", ["HTTP_PORT", "METRICS_PORT"])
def test_a_port_in_use_is_said_in_one_line(
    database_url: str, serve: Callable[..., Server], port: str
) -> None:
    """A port that somebody else has ends the process with one line that names it."""
    with socket.create_server(("127.0.0.1", 0)) as taken:
        number = str(taken.getsockname()[1])
        server = serve(DATABASE_URL=database_url, wait_for=None, status=1, **{port: number})
        status = server.process.wait(START_LIMIT)
    lines = server.output().splitlines()

    assert 1 == status
    assert 1 == len(lines), lines
    assert number in lines[0]
    assert "in use" in lines[0]
    assert "Traceback" not in lines[0]


def test_every_address_is_listened_on(serve: Callable[..., Server], database_url: str) -> None:
    """On `::`, which is the default, both ports are reached by IPv6 and by IPv4."""
    server = serve(DATABASE_URL=database_url, HTTP_HOST="::")

    for port in (server.port, server.metrics_port):
        for host in ("127.0.0.1", "[::1]"):
            assert httpx.codes.OK == httpx.get(f"http://{host}:{port}/livez").status_code


def test_without_ipv6_every_ipv4_address_is_listened_on(
    serve: Callable[..., Server], database_url: str, tmp_path: Path
) -> None:
    """Where the kernel has no IPv6, `::` is `0.0.0.0`, which the log says."""
    path = without_ipv6.python_path(tmp_path)
    server = serve(DATABASE_URL=database_url, HTTP_HOST="::", PYTHONPATH=path)

    for port in (server.port, server.metrics_port):
        assert httpx.codes.OK == httpx.get(f"http://127.0.0.1:{port}/livez").status_code
    assert f"listening on 0.0.0.0, port {server.port}" in server.output()
