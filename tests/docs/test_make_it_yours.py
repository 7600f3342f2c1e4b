"""docs/make-it-yours.md, applied to a copy of the tree, and what becomes of it."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final, NamedTuple

import httpx
import pytest

from tests.helpers.contract import failures
from tests.helpers.paths import ROOT
from tests.helpers.postgres import Databases
from tests.helpers.server import Server

PAGE: Final = (ROOT / "docs" / "make-it-yours.md").read_text(encoding="utf-8")

BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
EXAMPLES: Final = 1
PLACE: Final = re.compile(r"(?:#|--) (service/\S+)\n")

ORDER: Final = {"item": "tea", "quantity": 1}


class Fork(NamedTuple):
    """A copy of the tree, to which the page's blocks are applied."""

    folder: Path

    @property
    def environ(self) -> dict[str, str]:
        """What has its programs find its own code."""
        return {
            "PATH": f"{self.folder / 'bin'}:{os.environ['PATH']}",
            "PYTHONPATH": str(self.folder / "service"),
        }

    def apply(self, heading: str) -> list[str]:
        """Do what the blocks below a heading say; return what its commands printed."""
        section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
        return [
            told
            for kind, text in BLOCK.findall(section)
            if (told := self._apply(kind, text)) is not None
        ]

    def _apply(self, kind: str, text: str) -> str | None:
        match kind:
            case "sh":
                return self.run("sh", "-euc", text)
            case "diff":
                self._change(text)
            case "python" | "sql":
                place = PLACE.match(text)
                assert place is not None, text
                target = self.folder / place[1]
                assert target.exists() == (kind == "sql"), "the migration was written, no other"
                target.write_text(text[place.end() :], encoding="utf-8")
        return None

    def _change(self, text: str) -> None:
        """Apply a diff without line numbers: each hunk stands for the one place that it fits."""
        target = self.folder / text.splitlines()[0].removeprefix("--- a/")
        changed = target.read_text(encoding="utf-8")
        for hunk in text.split("@@\n")[1:]:
            lines = hunk.splitlines(keepends=True)
            before = "".join(line[1:] for line in lines if not line.startswith("+"))
            after = "".join(line[1:] for line in lines if not line.startswith("-"))
            assert 1 == changed.count(before), before
            changed = changed.replace(before, after)
        target.write_text(changed, encoding="utf-8")

    def run(self, *command: str, **environ: str) -> str:
        """Run a command in the copy; it must succeed."""
        done = subprocess.run(
            command,
            cwd=self.folder,
            env=os.environ | self.environ | environ,
            capture_output=True,
            text=True,
            check=False,
        )
        assert 0 == done.returncode, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def fork(tmp_path_factory: pytest.TempPathFactory) -> Fork:
    """Copy the service, with a command `orders` that runs the copy."""
    folder = tmp_path_factory.mktemp("fork")
    ignore = shutil.ignore_patterns("__pycache__")
    shutil.copytree(ROOT / "service" / "orders", folder / "service" / "orders", ignore=ignore)
    (folder / "docs").mkdir()
    program = folder / "bin" / "orders"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m orders "$@"\n')
    program.chmod(0o755)
    return Fork(folder)


@contextmanager
def serving(fork: Fork, url: str, name: str, **environ: str) -> Iterator[httpx.Client]:
    """Migrate the fork's database and serve; it must end with 0, without an error in its log."""
    environ |= fork.environ | {"DATABASE_URL": url}
    fork.run("orders", "migrate", DATABASE_URL=url)
    server = Server(fork.folder / f"{name}.log", **environ)
    try:
        server.wait_for()
        with httpx.Client(base_url=server.url) as client:
            yield client
            metrics = httpx.get(f"{server.metrics_url}/metrics").text
            (fork.folder / "metrics").write_text(metrics)
    finally:
        status = server.stop()
    assert 0 == status
    assert '"level":"ERROR"' not in server.output()


def test_the_page_works_as_it_stands(fork: Fork, postgres: Databases) -> None:
    """A field, an endpoint, a hook and another name: each as the page says, one on the other."""
    url = postgres.database()
    media = {"content-type": "application/json"}

    told = fork.apply("A field")
    assert "0004_note.sql" in told[0]
    assert "nothing refused" in told[1]
    with serving(fork, url, "field") as client:
        keyed = {"idempotency-key": "note-1"}
        made = client.post("/orders", json=ORDER | {"note": "a gift"}, headers=keyed)
        again = client.post("/orders", json=ORDER | {"note": "a gift"}, headers=keyed)
        other = client.post("/orders", json=ORDER | {"note": "none"}, headers=keyed)
        plain = client.post("/orders", json=ORDER)
        whole = client.post("/orders", content='{"item":"tea","quantity":1.0}', headers=media)
        nul = client.post("/orders", json=ORDER | {"note": "\0"})
        long = client.post("/orders", json=ORDER | {"note": "x" * 501})
        batch = client.post("/orders/batch", json=[ORDER | {"note": "b"}, ORDER])
        read = client.get(made.headers["location"])
        listed = client.get("/orders").json()
    assert [201, 201, 422, 201, 201, 400, 400, 201, 200] == [
        answer.status_code for answer in (made, again, other, plain, whole, nul, long, batch, read)
    ]
    assert "a gift" == made.json()["note"] == read.json()["note"]
    assert made.content == again.content == read.content
    assert [None, None] == [plain.json()["note"], whole.json()["note"]]
    assert ["/note", "/note"] == [a.json()["errors"][0]["pointer"] for a in (nul, long)]
    assert ["b", None] == [order["note"] for order in batch.json()]
    assert made.json() in listed
    document = json.loads((fork.folder / "docs" / "openapi.json").read_text())
    shown = document["paths"]["/orders"]["post"]["requestBody"]["content"]["application/json"]
    assert "a gift" == shown["example"]["note"]
    made = made.json()

    told = fork.apply("An endpoint")
    assert "0005_cancellations.sql" in told[0]
    cancel = f"/orders/{made['id']}/cancel"
    with serving(fork, url, "endpoint") as client:
        answers = [
            client.post(cancel, json={"reason": "too late"}),
            client.post(cancel, json={"reason": "another"}),
            client.post(cancel, json={"reason": 5}),
            client.post(cancel, json={"reason": "\0"}),
            client.post(cancel.replace(made["id"][:8], "00000000"), json={"reason": "x"}),
            client.get(cancel),
        ]
        contract = failures(
            str(client.base_url).rstrip("/"),
            str(fork.folder / "docs" / "openapi.json"),
            EXAMPLES,
            phases="examples,coverage",
        )
    assert "" == contract
    assert [202, 202, 400, 400, 404, 405] == [answer.status_code for answer in answers]
    assert {"order_id": made["id"], "reason": "too late"} == answers[1].json()
    assert ["/reason"] * 2 == [a.json()["errors"][0]["pointer"] for a in answers[2:4]]
    assert 'http_route="/orders/{id}/cancel"' in (fork.folder / "metrics").read_text()
    document = json.loads((fork.folder / "docs" / "openapi.json").read_text())
    operation = document["paths"]["/orders/{id}/cancel"]["post"]
    assert {"202", "400", "404", "503"} <= set(operation["responses"])
    reason = document["components"]["schemas"]["NewCancellation"]["properties"]["reason"]
    assert r"^[^\x00]*$" == reason["pattern"]

    fork.apply("A hook")
    fork.apply("Another name")
    plugins = {"ORDERS_PLUGINS": "orders.http.tenants:install"}
    with serving(fork, url, "hook", **plugins) as client:
        place = f"/bookings/{made['id']}"
        tenant = {"x-tenant": "one"}
        answers = [
            client.get(place, headers=tenant),
            client.get(place),
            client.post("/bookings", json=ORDER, headers=tenant),
            client.post("/bookings", json=ORDER),
            client.get("/bookings?limit=1", headers=tenant),
            client.post(f"{place}/cancel", json={"reason": "x"}, headers=tenant),
            client.get("/orders", headers=tenant),
        ]
    assert [200, 400, 201, 400, 200, 202, 404] == [answer.status_code for answer in answers]
    assert ["one", "none", "one", "none"] == [a.headers["x-tenant"] for a in answers[:4]]
    assert answers[1].json()["type"].endswith("/tenant-missing")
    assert answers[2].headers["location"].startswith("/bookings/")
    assert "</bookings?" in answers[4].headers["link"]
    postgres.drop_databases()
