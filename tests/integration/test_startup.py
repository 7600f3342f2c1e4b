"""How the server starts: lightly, or with one line that says why not."""

import socket
import subprocess
import sys
from collections.abc import Callable

import pytest

from tests.server import START_LIMIT, Server

HEAVY = ("litestar", "opentelemetry", "prometheus_client", "pydantic", "httpx", "asyncpg")


def test_what_orders_need_imports_no_framework() -> None:
    """The server and its compiled endpoints come without what only other requests need."""
    program = f"import orders.serve, sys; print(*sorted({set(HEAVY)} & set(sys.modules)))"
    found = subprocess.check_output([sys.executable, "-c", program], text=True)

    assert "" == found.strip()


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
