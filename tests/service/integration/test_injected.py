"""What the tests' `orders_faults` makes go wrong, and that nobody else can."""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from chaos.images.faults import orders_faults
from tests.helpers.server import START_LIMIT, Server, eventually

MODULE: Final = str(Path(orders_faults.__file__).parent)
ORDER: Final = {"item": "tea", "quantity": 2}
DURATION: Final = "http_server_request_duration_seconds"


async def _measured(server: Server) -> dict[str, float]:
    """Return what the duration's histogram says of POST /orders: count and sum by status."""
    async with httpx.AsyncClient() as client:
        answer = await client.get(f"{server.metrics_url}/metrics")
    return {
        f"{sample.name.removeprefix(DURATION)} {sample.labels['http_response_status_code']}": (
            sample.value
        )
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if sample.name in {f"{DURATION}_count", f"{DURATION}_sum"}
    }


@pytest.mark.parametrize(
    ("path", "faults"),
    [("", "error-ratio=0.05"), (MODULE, "error-ratio=2"), (MODULE, "delay"), (MODULE, "x=1")],
)
def test_faults_are_refused(serve: Callable[..., Server], path: str, faults: str) -> None:
    """Without the module, or with what it does not know, the service does not start."""
    server = serve(DB_HOST="x", FAULTS=faults, PYTHONPATH=path, wait_for=None, status=2)

    assert 2 == server.process.wait(START_LIMIT)
    allowed = "what the test module orders_faults accepts; no release contains that module"
    assert f"orders: FAULTS is {faults!r}; allowed: {allowed}\n" == server.output()


async def test_injected_errors_are_seen(serve: Callable[..., Server], database_url: str) -> None:
    """Each is a 500 for its caller, in the metrics and in the log; nothing is stored."""
    server = serve(DATABASE_URL=database_url, FAULTS="error-ratio=1", PYTHONPATH=MODULE)
    async with httpx.AsyncClient(base_url=server.url) as client:
        answer = await client.post("/orders", json=ORDER)

    assert (500, "https://orders.dev/problems/internal") == (
        answer.status_code,
        answer.json()["type"],
    )
    assert 1 == (await _measured(server))["_count 500"]
    assert "InjectedError: on purpose" in server.output()


async def test_injected_delays_are_seen(serve: Callable[..., Server], database_url: str) -> None:
    """Each is part of the request's duration; the order is stored."""
    server = serve(DATABASE_URL=database_url, FAULTS="delay=100ms", PYTHONPATH=MODULE)
    async with httpx.AsyncClient(base_url=server.url) as client:
        answer = await client.post("/orders", json=ORDER)

    assert 201 == answer.status_code
    assert 0.1 <= (await _measured(server))["_sum 201"]


async def test_an_injected_crash_ends_the_process(
    serve: Callable[..., Server], database_url: str
) -> None:
    """The time counts from the start, whatever is asked meanwhile."""
    status = orders_faults.CRASHED
    server = serve(
        DATABASE_URL=database_url, FAULTS="crash-after=1s", PYTHONPATH=MODULE, status=status
    )

    await eventually(lambda: server.process.poll() is not None)
    assert status == server.process.returncode
