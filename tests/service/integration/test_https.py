"""TLS on the API's port, with real certificates: who gets in, and files that change."""

import asyncio
import contextlib
import re
import socket
import ssl
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import psutil
import pytest

from tests.helpers.certificates import Authority, Issued, mount
from tests.helpers.entry_points import PublicServer
from tests.helpers.ports import free_port
from tests.helpers.postgres import Databases
from tests.helpers.server import Server, eventually

ORDER = {"item": "tea", "quantity": 1}
QUICKLY = "from orders.http import rotation; rotation.PERIOD = 0.05\n"
SOON = {"HTTP_KEEP_ALIVE_TIMEOUT": "3", "REQUEST_TIMEOUT": "3"}
UNTIL = "orders_tls_certificate_expiration_timestamp_seconds"


class WatchfulServer(Server):
    """The service, which looks at the files of TLS at each moment."""

    program = ("-c", f"import sys\nfrom orders import cli\n{QUICKLY}sys.exit(cli.main())")


class PublicWatchfulServer(Server):
    """The same on a Granian without the names that it does not publish."""

    program = ("-c", QUICKLY + PublicServer.program[1])


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """Make an authority."""
    return Authority(tmp_path_factory.mktemp("authority"))


@pytest.fixture(scope="module")
def mine(authority: Authority) -> Issued:
    """Have it sign a certificate."""
    return authority.issue("mine")


def settings(issued: Issued) -> dict[str, str]:
    """Return what has a service show a certificate."""
    return {"TLS_CERT_FILE": str(issued.certificate), "TLS_KEY_FILE": str(issued.key)}


@pytest.fixture(scope="module")
def service(
    mine: Issued, postgres: Databases, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server]:
    """Start a service with TLS."""
    log = tmp_path_factory.mktemp("https") / "serve.log"
    url = postgres.migrated_database()
    started = Server(log, DATABASE_URL=url, **settings(mine))
    started.wait_for()
    yield started
    assert 0 == started.stop()
    postgres.drop(url)


def metric(server: Server, name: str) -> float:
    """Return a number of a server's."""
    metrics = httpx.get(f"{server.metrics_url}/metrics").text
    found = re.search(rf"^{re.escape(name)} (\S+)$", metrics, re.MULTILINE)
    return float(found[1]) if found else -1


def shown(server: Server) -> str:
    """Return the certificate that a server shows on a new connection, in PEM."""
    return ssl.get_server_certificate(("127.0.0.1", server.port))


def test_orders_are_taken_over_tls(service: Server, authority: Authority) -> None:
    """Creates and reads go the short way, and are counted as https."""
    with httpx.Client(base_url=service.url, verify=authority.trusted()) as client:
        created = client.post("/orders", json=ORDER)
        read = client.get(created.headers["location"])
        refused = client.post("/orders", json={})
        page = client.get("/docs")

    assert [201, 200, 400, 200] == [a.status_code for a in (created, read, refused, page)]
    assert created.json() == read.json()
    metrics = httpx.get(f"{service.metrics_url}/metrics").text
    schemes = re.findall(r'^http_server_request_.*url_scheme="(\w+)"', metrics, re.MULTILINE)
    assert {"https"} == set(schemes)
    assert 0 == metric(
        service, 'orders_cold_requests_total{http_request_method="GET",http_route="/orders/{id}"}'
    )


def test_without_tls_nobody_is_heard(service: Server) -> None:
    """The API's port speaks nothing else; probes and metrics need no TLS."""
    with pytest.raises(httpx.TransportError):
        httpx.get(f"http://127.0.0.1:{service.port}/livez")

    for path in ("/livez", "/readyz", "/metrics"):
        assert 200 == httpx.get(service.metrics_url + path).status_code


def test_who_says_nothing_keeps_nobody_out(service: Server, authority: Authority) -> None:
    """Beside many connections that never shake hands, or stop half way, others go on."""
    address = ("127.0.0.1", service.port)
    with contextlib.ExitStack() as stack:
        for number in range(300):
            silent = stack.enter_context(socket.create_connection(address))
            if number % 2:
                silent.sendall(b"\x16\x03\x01")
        with httpx.Client(base_url=service.url, verify=authority.trusted()) as client:
            assert 201 == client.post("/orders", json=ORDER).status_code


def test_whose_certificate_it_is_is_told(service: Server, mine: Issued) -> None:
    """The log names it, and a metric says when it runs out; nothing of the key is told."""
    found = re.search(
        r"speaks TLS: certificate of localhost, 127\.0\.0\.1, until 20", service.output()
    )
    metrics = httpx.get(f"{service.metrics_url}/metrics").text

    assert found is not None
    assert mine.not_after == metric(service, UNTIL)
    for line in mine.key.read_text().splitlines()[1:-1]:
        assert line not in service.output() + metrics


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_both_versions_are_spoken(
    service: Server, authority: Authority, version: ssl.TLSVersion
) -> None:
    """Who knows TLS 1.2 alone is heard, unless it is told otherwise."""
    trusted = authority.trusted()
    trusted.minimum_version = trusted.maximum_version = version

    with httpx.Client(base_url=service.url, verify=trusted) as client:
        assert 201 == client.post("/orders", json=ORDER).status_code


def test_old_versions_can_be_kept_out(
    database_url: str, serve: Callable[..., Server], authority: Authority, mine: Issued
) -> None:
    """With TLS_MIN_VERSION=1.3 a caller that knows 1.2 alone is not let in."""
    server = serve(DATABASE_URL=database_url, TLS_MIN_VERSION="1.3", **settings(mine))
    old = authority.trusted()
    old.maximum_version = ssl.TLSVersion.TLSv1_2

    assert 200 == httpx.get(f"{server.url}/livez", verify=authority.trusted()).status_code
    with pytest.raises(httpx.TransportError):
        httpx.get(f"{server.url}/livez", verify=old)


def test_only_callers_of_an_authority_may_connect(
    database_url: str,
    serve: Callable[..., Server],
    authority: Authority,
    mine: Issued,
    tmp_path: Path,
) -> None:
    """Without a certificate of it nobody is let in; probes need none."""
    callers = Authority(tmp_path, "callers")
    server = serve(
        DATABASE_URL=database_url,
        TLS_CLIENT_CA_FILE=str(callers.certificate),
        **settings(mine),
    )

    def post(own: Issued | None) -> int:
        trusted = authority.trusted(own)
        return httpx.post(f"{server.url}/orders", json=ORDER, verify=trusted).status_code

    assert 201 == post(callers.issue("caller"))
    for other in (None, mine):
        with pytest.raises(httpx.TransportError):
            post(other)
    assert 200 == httpx.get(f"{server.metrics_url}/readyz").status_code


async def test_changed_files_are_taken_without_dropping_a_request(
    database_url: str, authority: Authority, tmp_path: Path
) -> None:
    """While callers create without a pause, three new certificates cost none of them an order."""
    folder = tmp_path / "tls"
    files = mount(folder, authority.issue("first"))
    others = [authority.issue(f"next-{number}") for number in range(3)]
    server = WatchfulServer(
        tmp_path / "serve.log", DATABASE_URL=database_url, **settings(files), **SOON
    )
    await asyncio.to_thread(server.wait_for)
    answered, done = 0, asyncio.Event()

    async def create(client: httpx.AsyncClient) -> None:
        nonlocal answered
        while not done.is_set():
            answer = await client.post("/orders", json=ORDER)
            assert 201 == answer.status_code
            answered += 1

    def more(than: int) -> bool:
        return answered > than

    async with httpx.AsyncClient(
        base_url=server.url, verify=authority.trusted(), timeout=15
    ) as client, asyncio.TaskGroup() as callers:  # fmt: skip
        for _ in range(4):
            callers.create_task(create(client))
        for number, other in enumerate(others, 1):
            mount(folder, other)
            await eventually(partial(changed, server, number), within=30)
            assert other.certificate.read_text() == await asyncio.to_thread(shown, server)
            await eventually(partial(more, answered))
            await eventually(lambda: 1 == listening(server), within=30)
        done.set()
    orders = metric(server, "orders_created_total")
    status = await asyncio.to_thread(server.stop)

    assert (0, answered) == (status, orders)
    assert '"level":"ERROR"' not in server.output()


def changed(server: Server, times: int) -> bool:
    """Whether a server has taken changed files so often."""
    return metric(server, 'orders_tls_changes_total{outcome="taken"}') == times


def listening(server: Server) -> int:
    """Count the sockets on which a server accepts callers of its API."""
    connections = psutil.Process(server.process.pid).net_connections("tcp")
    found = [c for c in connections if c.status == psutil.CONN_LISTEN]
    return sum(c.laddr.port == server.port for c in found)


async def test_what_was_connected_before_is_told_to_leave(
    database_url: str, authority: Authority, tmp_path: Path
) -> None:
    """An old connection gets its next answer, and learns that this was the last one."""
    folder = tmp_path / "tls"
    files = mount(folder, authority.issue("first"))
    server = WatchfulServer(tmp_path / "serve.log", DATABASE_URL=database_url, **settings(files))
    await asyncio.to_thread(server.wait_for)
    async with httpx.AsyncClient(base_url=server.url, verify=authority.trusted()) as client:
        before = await client.post("/orders", json=ORDER)
        mount(folder, authority.issue("second"))
        taken = 'orders_tls_changes_total{outcome="taken"}'
        await eventually(lambda: 1 == metric(server, taken), within=30)
        hot = await client.get(before.headers["location"])
        after = await client.get("/orders")
    status = await asyncio.to_thread(server.stop)

    assert "connection" not in before.headers
    assert (200, "close") == (hot.status_code, hot.headers["connection"])
    assert 200 == after.status_code
    assert "connection" not in after.headers
    assert 0 == status


async def test_files_that_are_wrong_change_nothing(
    database_url: str, authority: Authority, tmp_path: Path
) -> None:
    """What cannot be taken is told, and what was in use stays, until there is something better."""
    folder = tmp_path / "tls"
    first, second = authority.issue("first"), authority.issue("second")
    files = mount(folder, first)
    server = WatchfulServer(tmp_path / "serve.log", DATABASE_URL=database_url, **settings(files))
    await asyncio.to_thread(server.wait_for)
    changes = 'orders_tls_changes_total{outcome="%s"}'
    mount(folder, Issued(second.certificate, first.key))
    await eventually(lambda: 1 == metric(server, changes % "refused"), within=30)
    kept = await asyncio.to_thread(shown, server)
    folder.unlink()  # nothing to be read is nothing new
    mount(folder, second)
    await eventually(lambda: 1 == metric(server, changes % "taken"), within=30)
    taken = await asyncio.to_thread(shown, server)
    status = await asyncio.to_thread(server.stop)

    assert (first.certificate.read_text(), second.certificate.read_text()) == (kept, taken)
    assert "it is not the key of the certificate in TLS_CERT_FILE" in server.output()
    assert 0 == status


async def test_where_it_cannot_be_done_in_place_it_is_told(
    database_url: str, authority: Authority, tmp_path: Path
) -> None:
    """A server that cannot have two workers goes on with what it has, and asks for a restart."""
    folder = tmp_path / "tls"
    first = authority.issue("first")
    files = mount(folder, first)
    log = tmp_path / "serve.log"
    server = PublicWatchfulServer(log, DATABASE_URL=database_url, **settings(files))
    await asyncio.to_thread(server.wait_for)
    mount(folder, authority.issue("second"))
    refused = 'orders_tls_changes_total{outcome="refused"}'
    await eventually(lambda: 1 == metric(server, refused), within=30)
    kept = await asyncio.to_thread(shown, server)
    status = await asyncio.to_thread(server.stop)

    assert (0, first.certificate.read_text()) == (status, kept)
    assert "a restart takes them" in server.output()


def refusal(**environ: str) -> tuple[int, str]:
    """Return the exit status of a service that does not start, and what it says."""
    done = subprocess.run(
        [sys.executable, "-m", "orders", "serve"],
        env={
            "PATH": "/usr/bin:/bin",
            "HTTP_HOST": "127.0.0.1",
            "HTTP_PORT": str(free_port()),
            "METRICS_PORT": str(free_port()),
            "DATABASE_URL": "postgresql://postgres@127.0.0.1:9/orders",
        }
        | environ,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    return done.returncode, done.stderr


WRONG: dict[str, tuple[Callable[[Authority, Issued], dict[str, str]], str, str]] = {
    "missing": (
        lambda _, mine: settings(mine) | {"TLS_CERT_FILE": "/nowhere.crt"},
        "TLS_CERT_FILE is '/nowhere.crt'",
        "No such file",
    ),
    "no certificate": (
        lambda _, mine: settings(mine) | {"TLS_CERT_FILE": str(mine.key)},
        "TLS_CERT_FILE is '",
        "no PEM certificates",
    ),
    "no key": (
        lambda _, mine: settings(mine) | {"TLS_KEY_FILE": str(mine.certificate)},
        "TLS_KEY_FILE is '",
        "no PEM private key",
    ),
    "another key": (
        lambda authority, mine: (
            settings(mine) | {"TLS_KEY_FILE": str(authority.issue("another").key)}
        ),
        "TLS_KEY_FILE is '",
        "not the key of the certificate",
    ),
    "a key of another kind": (
        lambda authority, mine: (
            settings(mine) | {"TLS_KEY_FILE": str(authority.issue("rsa", key=("rsa:2048",)).key)}
        ),
        "TLS_KEY_FILE is '",
        "not the key of the certificate",
    ),
    "a passphrase": (
        lambda authority, _: settings(authority.issue("passphrase", passphrase="s3cret")),
        "TLS_KEY_FILE is '",
        "without a passphrase",
    ),
    "a curve that the server has not": (
        lambda authority, _: settings(
            authority.issue("curve", key=("ec", "-pkeyopt", "ec_paramgen_curve:secp521r1"))
        ),
        "TLS_CERT_FILE is '",
        "the server does not accept it",
    ),
    "no authorities": (
        lambda _, mine: settings(mine) | {"TLS_CLIENT_CA_FILE": str(mine.key)},
        "TLS_CLIENT_CA_FILE is '",
        "no PEM certificates",
    ),
}


@pytest.mark.parametrize("case", WRONG)
def test_wrong_files_are_refused_at_start(case: str, authority: Authority, mine: Issued) -> None:
    """The exit status is 2, and one line names the variable, the file and what is wrong."""
    environ, names, says = WRONG[case]
    status, told = refusal(**environ(authority, mine))

    assert 2 == status, told
    assert 1 == told.count("\n")
    assert told.startswith(f"orders: {names}")
    assert says in told
