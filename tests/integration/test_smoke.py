"""`orders smoke`: a look at a running service from outside."""

from collections.abc import Callable

import pytest

from orders.cli import main
from tests.ports import free_port
from tests.server import Server


def test_a_working_service_passes(
    database_url: str, serve: Callable[..., Server], capsys: pytest.CaptureFixture[str]
) -> None:
    """One order is placed, replayed and read back."""
    server = serve(DATABASE_URL=database_url)

    assert 0 == main(["smoke", f"http://127.0.0.1:{server.port}"], {})
    assert capsys.readouterr().out.endswith(": placed, replayed and read\n")


def test_a_service_without_its_schema_fails(
    database: str, serve: Callable[..., Server], capsys: pytest.CaptureFixture[str]
) -> None:
    """What was asked and what came is said in one line."""
    server = serve(DATABASE_URL=database, wait_for="/livez")

    assert 1 == main(["smoke", f"http://127.0.0.1:{server.port}", "--wait", "0.1"], {})
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"orders: POST http://127.0.0.1:{server.port}/orders: 50")


def test_nobody_there_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """A refused connection is said in one line; a URL must be one."""
    port = free_port()

    assert 1 == main(["smoke", f"http://127.0.0.1:{port}"], {})
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"orders: POST http://127.0.0.1:{port}/orders: ")
    assert "refused" in line
    with pytest.raises(SystemExit, match="2"):
        main(["smoke", "localhost:8000"], {})
