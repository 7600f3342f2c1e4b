"""A model with a field of each kind: nothing that is sent is lost or comes back otherwise."""

from pathlib import Path
from typing import Any, Final

from tests.helpers.fork import copied, serving
from tests.helpers.postgres import Databases

MODEL: Final = "service/orders/model.py"
FIELDS: Final = """\
    quantity: Quantity
    guests: Annotated[int, Meta(ge=0, le=2**40, examples=[2])] | None = None
    starts: Annotated[datetime, Meta(tz=True, examples=["2026-01-31T08:15:30Z"])] | None = None
    day: Annotated[date, Meta(examples=["2026-01-31"])] | None = None
    share: Annotated[float, Meta(examples=[0.5])] | None = None
    kind: Annotated[Literal["day", "night"], Meta(examples=["day"])] = "day"
    paid: Annotated[bool, Meta(examples=[True]), Stored(compared=False)] = False
    key: Annotated[str, Meta(max_length=9, examples=["a"]), Stored(column="user")] | None = None
    subject: Annotated[str, Meta(examples=["it's"])] | None = None


"""
TEA: Final = {"item": "tea", "quantity": 1}
WHOLE: Final = TEA | {
    "guests": 2**40,
    "starts": "2026-01-31T10:15:30.123456+02:00",
    "day": "2026-02-28",
    "share": 0.1,
    "kind": "night",
    "paid": True,
    "key": "of\u00e9",
    "subject": "it's",
}
BARE: Final = (
    TEA
    | dict.fromkeys(("guests", "starts", "day", "share", "key", "subject"))
    | {
        "kind": "day",
        "paid": False,
    }
)


def sent(order: Any) -> dict[str, Any]:
    """Return what a caller sent of an order."""
    return {name: value for name, value in order.items() if name not in {"id", "created_at"}}


def test_every_kind_of_field_comes_back_as_it_was_sent(
    tmp_path: Path, postgres: Databases
) -> None:
    """In the answer, read again, replayed, in a batch and in a list; names may be SQL's own."""
    fork = copied(tmp_path)
    fork.replace(MODEL, "    quantity: Quantity\n\n\n", FIELDS)
    fork.replace(MODEL, "from datetime import datetime\n", "from datetime import date, datetime\n")
    fork.replace(MODEL, "Annotated, Any, Final, ", "Annotated, Any, Final, Literal, ")
    fork.replace(MODEL, "import columns_of,", "import Stored, columns_of,")
    fork.run("orders", "migrate", "new", "wide")
    stored = WHOLE | {"starts": "2026-01-31T08:15:30.123456Z"}

    url = postgres.database()
    with serving(fork, url, "wide") as client:
        keyed = {"idempotency-key": "wide-1"}
        whole = client.post("/orders", json=WHOLE, headers=keyed)
        bare = client.post("/orders", json=TEA)
        read = [client.get(made.headers["location"]) for made in (whole, bare)]
        utc = client.post("/orders", json=stored, headers=keyed)
        unpaid = client.post("/orders", json=WHOLE | {"paid": False}, headers=keyed)
        others = [
            client.post("/orders", json=WHOLE | {name: value}, headers=keyed).status_code
            for name, value in (BARE | {"quantity": 2, "item": "milk"}).items()
            if name != "paid"
        ]
        batch = client.post("/orders/batch", json=[WHOLE, TEA])
        listed = client.get("/orders").json()
        fork.run("orders", "migrate", "check")
    postgres.drop(url)

    assert stored == sent(whole.json())
    assert BARE == sent(bare.json())
    assert [whole.content, bare.content] == [answer.content for answer in read]
    assert [whole.content] * 2 == [utc.content, unpaid.content]
    assert {422} == set(others)
    assert [stored, BARE] == [sent(order) for order in batch.json()]
    assert [BARE, stored, BARE, stored] == [sent(order) for order in listed]
