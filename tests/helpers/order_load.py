"""A load of orders over kept-alive connections, and a ledger of what was promised.

Every order has an item of its own, so the table tells afterwards whether one was lost or doubled.
"""

import asyncio
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Self

import httpx


@dataclass
class Ledger:
    """What the callers were told."""

    acknowledged: dict[str, str] = field(default_factory=dict)
    """Item to order id, for each 201."""
    failures: list[str] = field(default_factory=list)
    closed: int = 0
    """Answers that said `Connection: close`."""
    attempts: int = 0

    def missing(self, stored: Iterable[tuple[str, str]]) -> list[str]:
        """Return the acknowledged items that the table does not have under their id."""
        known = dict(stored)
        return [
            item for item, order_id in self.acknowledged.items() if known.get(item) != order_id
        ]

    @staticmethod
    def doubled(stored: Iterable[tuple[str, str]]) -> list[str]:
        """Return the items that the table has more than once."""
        return [item for item, n in Counter(item for item, _ in stored).items() if n > 1]


class Load:
    """Workers that each place one order after the other until told to stop."""

    def __init__(self, url: str, *, workers: int = 16) -> None:
        self.ledger = Ledger()
        self._url = url
        self._workers = workers
        self._stopping = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._progress = asyncio.Condition()
        self._crashing = False
        self._leaving = False

    async def __aenter__(self) -> Self:
        """Start."""
        self._tasks = [asyncio.create_task(self._work(n)) for n in range(self._workers)]
        return self

    async def __aexit__(self, *exc: object) -> None:
        """Stop and wait for the last answers."""
        self._stopping.set()
        await asyncio.gather(*self._tasks)

    async def more(self, orders: int) -> None:
        """Return when that many further orders are acknowledged."""
        goal = len(self.ledger.acknowledged) + orders
        async with self._progress, asyncio.timeout(30):
            await self._progress.wait_for(lambda: len(self.ledger.acknowledged) >= goal)

    def expect_crash(self) -> None:
        """From now on a broken connection is the end of a worker, not a failure."""
        self._crashing = True

    def expect_drain(self) -> None:
        """From now on `Connection: close` is the end of a worker."""
        self._leaving = True

    async def _work(self, number: int) -> None:
        limits = httpx.Limits(max_connections=1)
        async with httpx.AsyncClient(base_url=self._url, limits=limits, timeout=15) as client:
            count = 0
            while not self._stopping.is_set():
                count += 1
                item = f"worker {number} order {count}"
                self.ledger.attempts += 1
                try:
                    answer = await client.post("/orders", json={"item": item, "quantity": 1})
                except httpx.HTTPError as error:
                    if self._crashing:
                        return
                    self.ledger.failures.append(repr(error))
                else:
                    await self._book(item, answer)
                    if self._leaving and answer.headers.get("connection") == "close":
                        return  # a Service would lead the next connection to another pod

    async def _book(self, item: str, answer: httpx.Response) -> None:
        if answer.status_code != 201:
            self.ledger.failures.append(f"{answer.status_code} {answer.text}")
            return
        self.ledger.closed += answer.headers.get("connection") == "close"
        self.ledger.acknowledged[item] = answer.json()["id"]
        async with self._progress:
            self._progress.notify_all()


async def post_order(port: int, body: bytes, headers: str = "") -> tuple[int, str, bytes]:
    """Place one order on a connection of its own; return status, headers and body."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    head = f"POST /orders HTTP/1.1\r\nHost: x\r\n{headers}Content-Type: application/json\r\n"
    writer.write(f"{head}Connection: close\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    answer = await reader.read()
    writer.close()
    await writer.wait_closed()
    told, _, content = answer.partition(b"\r\n\r\n")
    return int(told.split()[1]), told.decode().lower(), content
