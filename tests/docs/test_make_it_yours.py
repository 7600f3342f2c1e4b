"""docs/make-it-yours.md, applied to a copy of the service, and what becomes of it."""

import json
import re
from pathlib import Path
from typing import Final

from tests.helpers.contract import failures
from tests.helpers.fork import Fork, copied, serving
from tests.helpers.paths import ROOT
from tests.helpers.postgres import Databases

PAGE: Final = (ROOT / "docs" / "make-it-yours.md").read_text(encoding="utf-8")
BLOCK: Final = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
PLACE: Final = re.compile(r"(?:#|--) (service/\S+)\n")
EXAMPLES: Final = 1

ORDER: Final = {"item": "tea", "quantity": 1}


def apply(fork: Fork, heading: str) -> list[str]:
    """Do what the blocks below a heading say; return what its commands printed."""
    section = PAGE.partition(f"\n## {heading}\n")[2].partition("\n## ")[0]
    told = []
    for kind, text in BLOCK.findall(section):
        match kind:
            case "sh":
                told.append(fork.run("sh", "-euc", text))
            case "diff":
                change(fork, text)
            case "python" | "sql":
                write(fork, text)
    assert section, heading
    return told


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


def test_the_page_works_as_it_stands(tmp_path: Path, postgres: Databases) -> None:
    """A field, an endpoint, a hook and another name: each as the page says, one on the other."""
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
    postgres.drop(url)
