"""README's shell blocks: its tour runs as it stands; its other commands are accepted."""

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Final

from tests.helpers.paths import ROOT
from tests.helpers.server import Server
from tests.helpers.shell import Shell
from tools.site.markdown import blocks

BLOCKS: Final = [
    block.text
    for block in blocks((ROOT / "README.md").read_text("utf-8"))
    if block.language == "sh"
]


def block_with(text: str) -> str:
    """Return the one block that has this text."""
    [found] = [block for block in BLOCKS if text in block]
    return found


def test_the_tour_does_what_it_says(
    database_url: str, serve: Callable[..., Server], tmp_path: Path
) -> None:
    """Orders are placed, listed and refused; health and metrics answer."""
    server = serve(DATABASE_URL=database_url)
    tour = block_with("Newest first")
    tour = tour.replace("localhost:8000", f"localhost:{server.port}")
    tour = tour.replace("localhost:2121", f"localhost:{server.metrics_port}")
    with Shell(tmp_path) as shell:
        printed = shell.run(tour)

    assert 2 == printed.count("HTTP/1.1 201 Created")
    assert 1 == printed.count("HTTP/1.1 200 OK")
    assert '"pointer":"/item"' in printed
    assert "readyz check passed" in printed
    assert "http_server_request_duration_seconds_count{" in printed


def test_the_ways_to_say_who_may_order_are_accepted(tmp_path: Path) -> None:
    """A key is made, and each setting is one that is in force where it is set."""
    [keys, *services, _] = block_with("orders keys new").splitlines()
    orders = f"{sys.executable} -m orders"
    (tmp_path / "keys").touch()
    with Shell(tmp_path) as shell:
        made = shell.run(keys.replace("orders", orders, 1))
        for line in services:
            whole = line.replace("...", services[0])
            settings = re.findall(r"([A-Z_]+)=(\S+)", whole)
            variables = " ".join(f"{name}={value}" for name, value in settings)
            printed = shell.run(f"{variables} {orders} config").lower()
            for name, value in settings:
                assert re.search(
                    rf"^{name} += {value} +\(environment\)".lower(), printed, re.MULTILINE
                )

    assert re.search(r"^shop .*orders:read.*orders:write", made, re.MULTILINE)


def test_make_has_the_targets_that_readme_names() -> None:
    """Every `make TARGET` is one of the Makefile."""
    targets = set(re.findall(r"^make ([a-z-]+)", "\n".join(BLOCKS), re.MULTILINE))
    makefile = (ROOT / "Makefile").read_text("utf-8")

    assert {"run", "test", "cluster"} <= targets
    assert set() == targets - set(re.findall(r"^([a-z0-9-]+):", makefile, re.MULTILINE))
