"""README's shell blocks: its tour runs as it stands; its other commands are accepted."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

import pytest

from tests.helpers.page_blocks import block, shell_blocks
from tests.helpers.paths import ROOT
from tests.helpers.server import Server
from tests.helpers.shell import Shell

SETTINGS: Final = (
    block("README.md", "orders keys new"),
    block("docs/cors.md", "CORS_ALLOW_ORIGINS="),
    block("docs/security.md", "AUTH_ISSUER="),
    block("docs/tls.md", "TLS_CERT_FILE="),
)
ORDERS: Final = f"{sys.executable} -m orders"


def test_the_tour_does_what_it_says(
    database_url: str, serve: Callable[..., Server], tmp_path: Path
) -> None:
    """Orders are placed, listed and refused; health and metrics answer."""
    server = serve(DATABASE_URL=database_url)
    tour = block("README.md", "# Place an order")
    tour = tour.replace("localhost:8000", f"localhost:{server.port}")
    tour = tour.replace("localhost:2121", f"localhost:{server.metrics_port}")
    with Shell(tmp_path) as shell:
        printed = shell.run(tour)

    assert 2 == printed.count("HTTP/1.1 201 Created")
    assert 1 == printed.count("HTTP/1.1 200 OK")
    assert '"pointer":"/item"' in printed
    assert "readyz check passed" in printed
    assert "http_server_request_duration_seconds_count{" in printed


@pytest.mark.parametrize("text", SETTINGS, ids=["readme", "cors", "security", "tls"])
def test_settings_are_accepted(text: str, tmp_path: Path) -> None:
    """Each setting of a command is one that is in force where it is set."""
    (tmp_path / "keys").touch()
    lines = [line for line in text.splitlines() if "=" in line and not line.startswith("kubectl")]
    if "orders serve" not in text:
        lines = [" ".join(line.partition("#")[0] for line in lines)]
    with Shell(tmp_path) as shell:
        for line in lines:
            settings = re.findall(r"([A-Z_]+)=(\S+)", line.replace("...", lines[0]))
            variables = " ".join(f"{name}={value}" for name, value in settings)
            printed = shell.run(f"{variables} {ORDERS} config").lower()
            for name, value in settings:
                assert re.search(
                    rf"^{name} += {value.replace(',', ', ')} +\(environment\)".lower(),
                    printed,
                    re.MULTILINE,
                )


@pytest.mark.parametrize(
    "text", [SETTINGS[0], block("docs/security.md", "orders keys new")], ids=["readme", "security"]
)
def test_a_key_is_made(text: str, tmp_path: Path) -> None:
    """The command shows the key, and the line by which the service knows it."""
    [line, *_] = text.splitlines()
    with Shell(tmp_path) as shell:
        made = shell.run(line.replace("orders", ORDERS, 1))

    assert re.search(r"^shop .*orders:read.*orders:write", made, re.MULTILINE)


def test_make_has_the_targets_that_readme_names() -> None:
    """Every `make TARGET`, of CONTRIBUTING too, is one of the Makefile."""
    named = "\n".join(shell_blocks("README.md") + shell_blocks("CONTRIBUTING.md"))
    targets = set(re.findall(r"^make ([a-z0-9-]+)", named, re.MULTILINE))
    makefile = (ROOT / "Makefile").read_text("utf-8")

    assert {"run", "test", "cluster"} <= targets
    assert set() == targets - set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
