"""Liveness, readiness and start-up of the real server, as probes and people see them."""

import asyncio
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Callable
from urllib.parse import urlsplit

import httpx
import psqlpy
import pytest

from tests.helpers.blackhole_proxy import listening
from tests.helpers.postgres import PostgresServer
from tests.helpers.problem_document import problem
from tests.helpers.server import Server, eventually

Start = Callable[..., Server]

LIVE = ("/livez", "/.well-known/alive")
READY = ("/readyz", "/.well-known/health")


def test_a_healthy_server_says_so_on_both_ports(database_url: str, serve: Start) -> None:
    """Every address, GoFr's too, is 200 and `ok`; `?verbose` lists the checks; HEAD works."""
    server = serve(DATABASE_URL=database_url)
    for url in (server.url, server.metrics_url):
        for path in (*LIVE, *READY, "/startupz"):
            answer = httpx.get(url + path)
            head = httpx.head(url + path)

            assert (200, "ok\n") == (answer.status_code, answer.text)
            assert "no-store" == answer.headers["cache-control"]
            assert (200, "") == (head.status_code, head.text)
        for path in READY:
            verbose = httpx.get(f"{url}{path}?verbose").text.splitlines()

            assert ["[+]database ok", "[+]schema ok", "[+]writes ok"] == verbose[:3]
            assert "[+]draining ok" == verbose[3]
            assert "readyz check passed" == verbose[-1]
        assert "[+]started ok" == httpx.get(f"{url}/startupz?verbose").text.splitlines()[0]


async def test_a_database_that_is_far_away_is_no_reason_to_be_unready(
    database_url: str, serve: Start
) -> None:
    """With 200 ms a round trip readiness has its answer within its second."""
    parts = urlsplit(database_url)

    async def late(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, out = await asyncio.open_connection(parts.hostname, parts.port)

        async def send() -> None:
            while sent := await reader.read(65_536):
                await asyncio.sleep(0.2)
                out.write(sent)
            out.close()

        sending = asyncio.ensure_future(send())
        while answer := await there.read(65_536):
            writer.write(answer)
        writer.close()
        await sending

    async with listening(late) as port:
        far = parts._replace(netloc=f"{parts.username}@127.0.0.1:{port}").geturl()
        server = serve(DATABASE_URL=far, wait_for=None)
        async with httpx.AsyncClient(base_url=server.metrics_url) as client:

            async def ready() -> bool:
                with contextlib.suppress(httpx.TransportError):
                    return (await client.get("/readyz")).status_code == 200
                return False

            await eventually(ready)
            assert [200] * 3 == [(await client.get("/readyz")).status_code for _ in range(3)]
        await asyncio.to_thread(server.stop)


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE", "BREW"])
def test_a_probe_is_only_asked(server: Server, method: str) -> None:
    """Another method than GET and HEAD is 405 with Allow, at every address of both ports."""
    for url in (server.url, server.metrics_url):
        for path in (*LIVE, *READY, "/startupz"):
            answer = httpx.request(method, url + path)

            assert (405, "method-not-allowed") == (answer.status_code, problem(answer))
            assert "GET, HEAD, OPTIONS" == answer.headers["allow"]


def test_the_metrics_port_refuses_in_words(server: Server) -> None:
    """What is not there is 404, another method 405 with Allow, as problem documents."""
    nothing = httpx.get(f"{server.metrics_url}/orders")
    posted = httpx.post(f"{server.metrics_url}/metrics")
    headers = httpx.head(f"{server.metrics_url}/metrics").headers

    assert (404, "not-found") == (nothing.status_code, problem(nothing))
    assert (405, "method-not-allowed") == (posted.status_code, problem(posted))
    assert "GET, HEAD, OPTIONS" == posted.headers["allow"]
    assert headers["content-type"].startswith("text/plain")


async def test_a_missing_schema_is_told_and_noticed(database: str, serve: Start) -> None:
    """Without the schema /readyz is 503 and names the command; after it 200, without a restart."""
    server = serve(DATABASE_URL=database, wait_for="/startupz")
    async with httpx.AsyncClient(base_url=server.url) as client:

        async def told() -> bool:
            return "schema" in (await client.get("/readyz")).text

        await eventually(told)
        before = await client.get("/readyz")
        alive = [(await client.get(path)).status_code for path in LIVE]
        early = await client.post("/orders", json={"item": "early", "quantity": 1})
        migrated = await asyncio.to_thread(
            subprocess.run,
            [sys.executable, "-m", "orders", "migrate"],
            env=os.environ | {"DATABASE_URL": database},
            capture_output=True,
            check=False,
        )

        async def ready() -> bool:
            return (await client.get("/readyz")).status_code == 200

        await eventually(ready)

        async def taken() -> bool:
            answer = await client.post("/orders", json={"item": "tea", "quantity": 1})
            return answer.status_code == 201

        await eventually(taken)

    assert 503 == before.status_code
    assert "run `orders migrate`" in before.text
    assert "readyz check failed" in before.text
    assert [200, 200] == alive
    assert 500 <= early.status_code, early.text
    assert 0 == migrated.returncode, migrated.stdout


async def test_what_the_database_says_is_for_the_log(database_url: str, serve: Start) -> None:
    """A version that cannot be read is 503 in fixed words, and one line until it could be read."""
    server = serve(DATABASE_URL=database_url)
    connection = await psqlpy.connect(dsn=database_url)
    async with httpx.AsyncClient(base_url=server.url) as client:
        for _ in range(2):
            await connection.execute("ALTER TABLE orders_migrations RENAME version TO secret")
            answers = [await client.get(path) for path in (*READY, f"{READY[0]}?verbose")]
            await connection.execute("ALTER TABLE orders_migrations RENAME secret TO version")
            ready = await client.get(READY[0])

            assert {503} == {answer.status_code for answer in answers}
            expected = "[-]database failed: the schema version cannot be read"
            assert {expected} == {answer.text.splitlines()[0] for answer in answers}
            assert 200 == ready.status_code
    connection.close()

    def told() -> list[str]:
        lines = [json.loads(line) for line in server.output().split("\n")[:-1]]
        return [line["message"] for line in lines if "cannot be read" in line["message"]]

    await eventually(lambda: len(told()) >= 2)
    assert 2 == len(told())
    assert 'column "version" does not exist' in told()[0]


@pytest.mark.parametrize("away_at_start", [True, False], ids=["at start", "later"])
async def test_a_database_that_is_away_is_no_reason_to_die(
    private_postgres: PostgresServer, serve: Start, *, away_at_start: bool
) -> None:
    """Readiness is 503 and liveness and start-up 200 on both ports, until it is back."""
    url = private_postgres.migrated_database()
    if away_at_start:
        await asyncio.to_thread(private_postgres.stop, "fast")
        server = serve(DATABASE_URL=url, wait_for="/startupz")
    else:
        server = serve(DATABASE_URL=url)
        await asyncio.to_thread(private_postgres.stop, "fast")
    async with httpx.AsyncClient() as client:
        found = {}
        for port in (server.url, server.metrics_url):
            for path in (*LIVE, *READY, "/startupz"):
                answer = await client.get(port + path)
                found[port, path] = answer.status_code
        verbose = (await client.get(f"{server.url}/readyz?verbose")).text
        await asyncio.to_thread(private_postgres.start)

        async def ready() -> bool:
            return (await client.get(f"{server.metrics_url}/readyz")).status_code == 200

        await eventually(ready)

    assert {key: 503 if key[1] in READY else 200 for key in found} == found
    assert verbose.startswith("[-]database failed: ")
