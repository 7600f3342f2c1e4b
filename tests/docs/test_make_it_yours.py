"""docs/make-it-yours.md, applied to a copy of the project, and what becomes of it."""

import json
import re
import sys
from pathlib import Path
from typing import Final

import httpx
import pytest
import yaml

from tests.helpers.contract import failures
from tests.helpers.fork import Fork, copied, serving
from tests.helpers.paths import ROOT
from tests.helpers.postgres import Databases
from tools.chart.schemas import KUBERNETES, check
from tools.go_programs import CHARTS, MISSING, available

PAGE: Final = (ROOT / "docs" / "make-it-yours.md").read_text(encoding="utf-8")
BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACE: Final = re.compile(r"(?:#|--) (service/\S+)\n")
STEP: Final = re.compile(r"^\*\*(\d+)\.\*\* ", re.MULTILINE)
CHANGES: Final = ("A field", "An endpoint", "A hook", "Another name")
RESOURCE_PATH: Final = re.compile(r"(?:localhost:\d+|[\"' ])(/(?:orders|bookings))\b")
RENDER: Final = """
import json, os, sys, yaml
import orders_operator
from orders_operator.api.decode import decode
from tests.helpers.operator.specs import desired

assert orders_operator.__file__.startswith(os.getcwd())
print(yaml.safe_dump_all(desired(decode(json.loads(sys.argv[1])))))
"""
"""Prints what the copy's operator wants to be there for an OrderService."""

EXAMPLES: Final = 1

COLD: Final = (
    'orders_cold_requests_total{http_request_method="POST",http_route="/orders/{id}/cancel"} 2.0\n'
)
"""That of a page's six requests only the two are cold whose body does not validate."""
ORDER: Final = {"item": "tea", "quantity": 1}


def apply(fork: Fork, heading: str) -> list[str]:
    """Do what the blocks below a heading say; return what its commands printed."""
    told = []
    for kind, text in BLOCK.findall(section(heading)):
        match kind:
            case "sh":
                told.append(fork.run("sh", "-euc", text))
            case "diff":
                change(fork, text)
            case "python" | "sql":
                write(fork, text)
    return told


def section(heading: str) -> str:
    """Return what is below a heading."""
    [text] = re.findall(rf"\n## {heading}\n(.*?)(?=\n## |\Z)", PAGE, re.DOTALL)
    return str(text)


def change(fork: Fork, text: str) -> None:
    """Apply a diff without line numbers: each hunk stands for the one place that it fits."""
    file = text.splitlines()[0].removeprefix("--- a/")
    for hunk in text.split("@@\n")[1:]:
        lines = hunk.splitlines(keepends=True)
        before = "".join(line[1:] for line in lines if not line.startswith("+"))
        fork.replace(file, before, "".join(line[1:] for line in lines if line[0] != "-"))


def write(fork: Fork, text: str) -> None:
    """Write a file whose place is its first line; a migration is there already, and no other."""
    place = PLACE.match(text)
    assert place is not None, text
    target = fork.folder / place[1]
    if target.suffix == ".sql":
        [target] = target.parent.glob(target.name.replace("NNNN", "*"))
    else:
        assert not target.exists()
    target.write_text(text[place.end() :], encoding="utf-8")


def cancelled(client: httpx.Client, path: str) -> list[httpx.Response]:
    """Ask for a cancellation, and for what is none."""
    unknown = f"{path[: path.index('/', 1)]}/00000000-0000-7000-8000-000000000000/cancel"
    return [
        client.post(path, json={"reason": "too late"}),
        client.post(path, json={"reason": "another"}),
        client.post(path, json={"reason": 5}),
        client.post(path, json={"reason": "\0"}),
        client.post(unknown, json={"reason": "x"}),
        client.get(path),
    ]


def untraced(answer: httpx.Response) -> dict[str, object]:
    """Return the body of an answer without the trace id that each request has."""
    return {name: value for name, value in answer.json().items() if name != "trace_id"}


@pytest.mark.timeout(600)  # many commands, one after the other
def test_the_page_works_as_it_stands(tmp_path: Path, postgres: Databases) -> None:
    """A field, endpoints, a hook and another name: each as the page says, one on the other."""
    fork = copied(tmp_path)
    url = postgres.database()
    media = {"content-type": "application/json"}

    told = apply(fork, "A field")
    assert "_note.sql" in told[0]
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

    told = apply(fork, "An endpoint")
    assert "_cancellations.sql" in told[0]
    cancel = f"/orders/{made['id']}/cancel"
    with serving(fork, url, "endpoint") as client:
        answers = cancelled(client, cancel)
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

    assert COLD not in (fork.folder / "metrics").read_text()
    apply(fork, "A hot endpoint")
    with serving(fork, url, "hot") as client:
        shown = [(a.status_code, untraced(a)) for a in cancelled(client, cancel)]
    assert [(answer.status_code, untraced(answer)) for answer in answers] == shown
    assert COLD in (fork.folder / "metrics").read_text()

    apply(fork, "A hook")
    apply(fork, "Another name")
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

    with serving(fork, url, "renamed") as client:
        load = ("load", "--url", str(client.base_url), "--rate", "50", "--duration", "1s")
        report = json.loads(fork.run("orders-operator", *load))
    assert (50, 0, {}) == (report["succeeded"], report["failed"], report["errors"])
    postgres.drop(url)


@pytest.mark.skipif(not available(), reason=MISSING)
@pytest.mark.timeout(900)  # the first run builds the tools
def test_the_chart_and_the_operator_take_the_fork(tmp_path: Path) -> None:
    """Every way of use renders and conforms, and so does what the operator makes of its image."""
    fork = copied(tmp_path)
    apply(fork, "Another name")  # the one change that concerns them
    chart = fork.folder / "charts" / "orders"
    image = (
        "--set",
        "image.repository=registry.example.com/shop/bookings",
        "--set",
        "image.tag=1.0.0",
    )
    assert "" == CHARTS.run("helm", "lint", "--strict", "--quiet", chart, *image).strip()
    rendered = {
        values.name: CHARTS.run("helm", "template", "shop", chart, "--values", values, *image)
        for values in (chart / "ci").iterdir()
    }
    [service] = (
        it
        for it in yaml.safe_load_all(rendered["monitoring-values.yaml"])
        if it and it["kind"] == "OrderService"
    )
    service["metadata"] |= {"namespace": "shop", "uid": "u-1", "generation": 1}
    path = {"PYTHONPATH": f"{fork.environ['PYTHONPATH']}:{ROOT}"}
    children = fork.run(sys.executable, "-c", RENDER, json.dumps(service), **path)

    manifests = "\n---\n".join([*rendered.values(), children])
    assert "Invalid: 0, Errors: 0, Skipped: 0" in check(manifests, KUBERNETES[-1])
    assert "image: registry.example.com/shop/bookings:1.0.0\n" in children
    assert RESOURCE_PATH.findall(manifests) == []  # no manifest has the name to change
    notes = CHARTS.run("helm", "install", "shop", chart, "--dry-run=client").partition("NOTES:")[2]
    assert ["/bookings"] * 2 == RESOURCE_PATH.findall(notes)


def test_the_steps_are_as_many_as_the_page_says() -> None:
    """They are numbered from 1, and no block of a change stands outside of them."""
    steps = STEP.findall(PAGE)
    assert [str(number) for number in range(1, len(steps) + 1)] == steps
    assert f"four changes in {len(steps)} steps" in PAGE
    for change in CHANGES:
        before = STEP.split(section(change))[0]
        assert [] == BLOCK.findall(before)
