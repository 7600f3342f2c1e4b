"""Starts a server as a container runtime would, and reads what it uses from /proc.

Its output goes through a pipe to a `cat` that writes it to a file, so an access log costs a server
what it costs in production; that `cat` is not counted as the server's.
"""

import os
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http import HTTPStatus
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from types import MappingProxyType
from typing import Final
from uuid import uuid4

import psutil
from msgspec import Struct, json

from bench import paths
from bench.database import free_port
from bench.servers import Server

START_LIMIT: Final = 30.0
STOP_LIMIT: Final = 10.0
MEBIBYTE: Final = 1024 * 1024
NEW_ORDER: Final = b'{"item":"espresso beans, 1 kg","quantity":3}'
JSON: Final = {"Content-Type": "application/json"}


class ServerError(Exception):
    """A server did not start, or did not answer as the API says."""


class _Order(Struct):
    id: str
    item: str
    quantity: int
    created_at: str


class Running:
    """A server that runs: its ports, and what its process tree uses."""

    def __init__(
        self, server: Server, process: subprocess.Popen[bytes], port: int, metrics_port: int
    ) -> None:
        """`process` is the root of the server's process tree."""
        self.server = server
        self.port = port
        self.metrics_port = metrics_port
        self.process = process
        self._root = psutil.Process(process.pid)

    def cpu_seconds(self) -> float:
        """CPU time, user and system, of the process tree so far."""
        return tree_cpu_seconds(self._root)

    def pss_mib(self) -> float:
        """Proportional set size of the process tree in MiB, from smaps_rollup."""
        sizes = (process.memory_full_info().pss for process in tree(self._root))
        return float(sum(sizes)) / MEBIBYTE

    def first_order(self) -> None:
        """Wait until a POST is answered 201; raise ServerError if that takes too long."""
        deadline = time.monotonic() + START_LIMIT
        while self.process.poll() is None and time.monotonic() < deadline:
            try:
                status, _ = self.request("POST", "/orders", NEW_ORDER)
            except (OSError, HTTPException):
                time.sleep(0.001)
                continue
            if status == HTTPStatus.CREATED:
                return
            time.sleep(0.001)
        msg = f"{self.server.title} did not take an order; see {log_name(self.server)}"
        raise ServerError(msg)

    def check(self) -> None:
        """Raise ServerError unless an order is created, read back equal, and /livez answers."""
        created, body = self.request("POST", "/orders", NEW_ORDER)
        order = json.decode(body, type=_Order)
        read, again = self.request("GET", f"/orders/{order.id}")
        alive, _ = self.request("GET", "/livez")
        if (created, read, alive) != (201, 200, 200) or json.decode(again, type=_Order) != order:
            msg = f"{self.server.title} does not answer as the API says"
            raise ServerError(msg)

    def check_key(self) -> None:
        """Raise ServerError unless an Idempotency-Key that is sent twice makes one order."""
        key = {"Idempotency-Key": str(uuid4())}
        first, again = (self.request("POST", "/orders", NEW_ORDER, key) for _ in range(2))
        if first[0] != HTTPStatus.CREATED or again != first:
            msg = f"{self.server.title} does not take an Idempotency-Key as the API says"
            raise ServerError(msg)

    def request(
        self,
        method: str,
        path: str,
        body: bytes | None = None,
        more: Mapping[str, str] = MappingProxyType({}),
    ) -> tuple[int, bytes]:
        """Send one request, with `more` headers, on its own connection; return status and body."""
        if self.server.scheme == "https":
            context = ssl._create_unverified_context()  # noqa: S323, SLF001  made for this run
            connection: HTTPConnection = HTTPSConnection(
                "127.0.0.1", self.port, timeout=START_LIMIT, context=context
            )
        else:
            connection = HTTPConnection("127.0.0.1", self.port, timeout=START_LIMIT)
        try:
            headers = {**(JSON if body else {}), **more}
            if self.server.token:
                headers["Authorization"] = f"Bearer {self.server.token}"
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read()
        finally:
            connection.close()


@contextmanager
def run(server: Server, database_url: str) -> Iterator[Running]:
    """Start `server`; yield at once, before it listens; end it with SIGTERM."""
    paths.LOGS.mkdir(parents=True, exist_ok=True)
    port, metrics_port = free_port(), free_port()
    environment = {
        **os.environ,
        "DATABASE_URL": database_url,
        "HTTP_HOST": "127.0.0.1",
        "HTTP_PORT": str(port),
        "METRICS_PORT": str(metrics_port),
        "SHUTDOWN_DELAY": "0",
        **server.environment,
    }
    with (paths.LOGS / f"{server.name}.log").open("wb") as log:
        cat = subprocess.Popen(["cat"], stdin=subprocess.PIPE, stdout=log)
        process = subprocess.Popen(
            server.command(),
            cwd=paths.ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=cat.stdin,
            stderr=subprocess.STDOUT,
        )
        if cat.stdin:
            cat.stdin.close()
        try:
            yield Running(server, process, port, metrics_port)
        finally:
            stop(process)
            cat.wait()


def stop(process: subprocess.Popen[bytes], within: float = STOP_LIMIT) -> None:
    """End a process with SIGTERM, or with SIGKILL if that takes too many seconds."""
    process.terminate()
    try:
        process.wait(within)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def tree(root: psutil.Process) -> list[psutil.Process]:
    """Return a process and its descendants."""
    return [root, *root.children(recursive=True)]


def tree_cpu_seconds(*roots: psutil.Process) -> float:
    """CPU time of processes and their descendants in seconds, those that have ended included."""
    total = 0.0
    for process in {process.pid: process for root in roots for process in tree(root)}.values():
        try:
            times = process.cpu_times()
        except psutil.NoSuchProcess:
            continue
        total += times.user + times.system + times.children_user + times.children_system
    return total


def log_name(server: Server) -> str:
    """Where the server's output is, from the repository's root."""
    return str((paths.LOGS / f"{server.name}.log").relative_to(paths.ROOT))
