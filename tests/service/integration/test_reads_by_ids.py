"""`GET /orders?ids=` on the real server: those that exist, in a few round trips."""

import httpx
import pytest

from tests.helpers.problem_document import problem
from tests.helpers.server import Server

UNKNOWN = "0199d2f6-7c1e-7b52-9d5c-0f6b8a1c2e3d"
CONNECTIONS = 8


def made(client: httpx.Client, number: int) -> list[dict[str, object]]:
    """Create orders."""
    sent = [{"item": f"tea {n}", "quantity": 1} for n in range(number)]
    orders: list[dict[str, object]] = client.post("/orders/batch", json=sent).json()
    return orders


def ids(*orders: dict[str, object]) -> str:
    """Return the parameter that asks for these."""
    return "/orders?ids=" + ",".join(str(order["id"]) for order in orders)


def test_those_that_exist_come_in_the_order_of_the_request(api: httpx.Client) -> None:
    """Each comes once, in either case of its letters; one that no order has is left out."""
    one, two, three = made(api, 3)
    shouted: dict[str, object] = {"id": str(two["id"]).upper()}

    answer = api.get(ids(three, {"id": UNKNOWN}, one, shouted, three))

    assert (200, [three, one, two]) == (answer.status_code, answer.json())
    assert "private, no-cache" == answer.headers["cache-control"]
    assert {} == answer.links
    assert [] == api.get(ids({"id": UNKNOWN})).json()


def test_a_hundred_share_a_few_round_trips(server: Server, api: httpx.Client) -> None:
    """They are reads, and join batches of them."""
    orders = made(api, 100)
    before = batches(server)

    assert orders == api.get(ids(*orders)).json()
    # Three: the first goes out at once, 64 beside it, then the rest. A process that stands still
    # meanwhile uses the other connections as well.
    assert batches(server) - before <= 2 * CONNECTIONS


def batches(server: Server) -> float:
    """Return how many batches of reads there were."""
    found = httpx.get(f"{server.metrics_url}/metrics").text.splitlines()
    name = 'orders_batch_size_count{operation="select"}'
    return sum(float(line.rpartition(" ")[2]) for line in found if line.startswith(name))


@pytest.mark.parametrize(
    ("query", "detail"),
    [
        ("ids=", f"#/query/ids: is not a UUID such as {UNKNOWN}"),
        (f"ids={UNKNOWN},", f"#/query/ids: is not a UUID such as {UNKNOWN}"),
        ("ids=" + ",".join([UNKNOWN] * 101), "#/query/ids: has 101 ids; allowed: 1 to 100"),
        (f"ids={UNKNOWN}&ids={UNKNOWN}", "#/query/ids: is given more than once"),
        (f"ids={UNKNOWN}&after={UNKNOWN}", "ids and after are mutually exclusive"),
        (f"ids={UNKNOWN}&item=tea", "ids and item are mutually exclusive"),
    ],
)
def test_what_is_no_list_of_ids_is_refused(api: httpx.Client, query: str, detail: str) -> None:
    """What is wrong is named."""
    answer = api.get(f"/orders?{query}")

    assert "invalid-request" == problem(answer)
    assert detail == answer.json()["detail"]
