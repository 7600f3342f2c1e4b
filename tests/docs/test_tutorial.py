"""docs/tutorial.md, from its first block to its last, against a service of its own."""

import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import pytest

from tests.helpers.paths import ROOT
from tests.helpers.postgres import reachable_folder
from tests.helpers.server import Server, eventually
from tests.helpers.shell import Shell
from tools.site.markdown import Block, blocks

PAGE: Final = (ROOT / "docs" / "tutorial.md").read_text("utf-8")
BIN: Final = Path(sys.executable).parent

PRINTED: Final = {
    "if-none-match": ["HTTP/1.1 304 Not Modified"],
    '"item": "grinder", "quantity": 0': ['"status":400', '"pointer":"/quantity"'],
    "for attempt in": ["HTTP/1.1 201 Created", "idempotency-replayed: true"],
    '"kettle", "quantity": 2': ["idempotency-key-reused"],
    '"saucer"': ['"item":"cup"', '"item":"saucer"'],
    "while [ -n": ['"item":"saucer"', '"item":"espresso beans, 1 kg"'],
    "load crash": ["    100 201"],
    "batches_retried": ["orders_batches_retried_total", "orders_created_total"],
    "orders_replayed": ["http_server_request_duration_seconds_count", "orders_replayed"],
    "traceparent": ["x-correlation-id: 4bf92f3577b34da6a3ce929d0e0e4736"],
}
"""Of a block that has this text: what it prints, beside the output that the page shows."""


SHORTER: Final = {"seq 300": "seq 100", "    300 201": "    100 201", "sleep 1;": "sleep 0.3;"}
"""A third of the page's orders show the same, in a third of the time."""

PATIENT: Final = {"REQUEST_TIMEOUT": "60s"}
"""A full machine recovers PostgreSQL more slowly than a reader's; no answer depends on that."""


def masked(text: str) -> str:
    """Return what is printed without what differs each time: ids, times, the width of counts."""
    text = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}|\b[0-9a-f]{32}\b", "ID", text)
    text = re.sub(r"\d{4}-\d\d-\d\dT[\d:.]+Z", "TIME", text)
    return "\n".join(line.strip() for line in text.replace("\r", "").splitlines())


def steps() -> Iterator[tuple[str, list[Block]]]:
    """Yield the title and the blocks of each step."""
    page = PAGE
    for text, shorter in SHORTER.items():
        assert text in page
        page = page.replace(text, shorter)
    for part in re.split(r"^## ", page, flags=re.MULTILINE)[1:]:
        yield part.partition("\n")[0], list(blocks(part))


class Reader:
    """Somebody who does what the page says: runs its blocks, and compares what is printed."""

    def __init__(self, shell: Shell, folder: Path, serve: Callable[..., Server]) -> None:
        self._shell = shell
        self._folder = folder
        self._serve = serve
        self.server: Server | None = None
        self.unchecked = set(PRINTED)

    def start(self, **environ: str) -> Server:
        """Run `make run`, on the ports that it had before; Ctrl-C ends one that runs."""
        if self.server is not None:
            self.server.stop()
            environ["HTTP_PORT"] = str(self.server.port)
            environ["METRICS_PORT"] = str(self.server.metrics_port)
        data = str(self._folder / ".orders")
        self.server = self._serve("dev", None, ORDERS_DATA_DIR=data, **PATIENT, **environ)
        self.server.wait_for("/readyz", within=60)
        return self.server

    def run(self, block: str) -> str:
        """Run a block; check what it prints, and return it."""
        assert self.server is not None
        there = block.replace("localhost:8000", f"localhost:{self.server.port}")
        there = there.replace("localhost:2121", f"localhost:{self.server.metrics_port}")
        printed = self._shell.run(there)
        for text in [text for text in PRINTED if text in block and text in self.unchecked]:
            self.unchecked.discard(text)
            assert [] == [said for said in PRINTED[text] if said not in printed], printed
        return printed


@pytest.mark.timeout(120)
async def test_the_tutorial_does_what_it_says(serve: Callable[..., Server], database: str) -> None:
    """Each block runs, and prints what the page shows and says; no order is lost or made twice."""
    with reachable_folder() as folder, Shell(folder) as shell:
        reader = Reader(shell, folder, serve)
        for title, parts in steps():
            printed = ""
            if "Restart" in title:
                reader.start()
            for part in parts:
                if part.language == "text":
                    shown = masked(part.text).splitlines()
                    assert [] == [line for line in shown if line not in masked(printed)], printed
                elif part.text.endswith("make run\n"):
                    variables = dict(word.split("=") for word in part.text.split()[:-2])
                    reader.start(**variables)
                elif "orders serve" in part.text:
                    await use_another_database(shell, serve, part.text, database)
                else:
                    printed = reader.run(part.text)
                    if "uniq -d" in part.text:
                        assert '"crash' not in printed
        exported = reader.start(TRACE_EXPORTER="console")
        reader.run(next(block.text for block in blocks(PAGE) if "-i localhost" in block.text))
        await eventually(lambda: "INSERT orders" in exported.output())

    assert set() == reader.unchecked


async def use_another_database(
    shell: Shell, serve: Callable[..., Server], block: str, database: str
) -> None:
    """Run the block about a database of the reader's: what migrates it, then what serves it."""
    [export, migrate, command] = block.splitlines()
    shell.run(re.sub(r"=\S+", f"='{database}'", export))
    shell.run(migrate.replace(".venv/bin", str(BIN)))
    assert ".venv/bin/orders serve" == command
    serve(DATABASE_URL=database)
