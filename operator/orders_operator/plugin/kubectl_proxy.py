"""Access to the cluster: `kubectl proxy` on a Unix socket that only this user can open.

kubectl exists, because it starts plugins, and it supports every kind of kubeconfig: several files
in KUBECONFIG, programs that log in and may prompt, client certificates, HTTP proxies. A second
reader of kubeconfigs would support less. The proxy takes a tenth of a second to start.
"""

import asyncio
import contextlib
import os
import re
import signal
import sys
import tempfile
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

import httpx2
from msgspec import Struct

from orders_operator.client.kube import Kube
from orders_operator.client.transport import TIMEOUT_SECONDS
from orders_operator.plugin import Refused

_CONNECTIONS: Final = httpx2.Limits(max_connections=None)
_LOG: Final = re.compile(rb"[IWEF]\d{4} ")
"""The beginning of a line of kubectl's own log."""


class Access(Struct, frozen=True):
    """The cluster to use, by kubectl's options; None leaves it to the kubeconfig."""

    kubeconfig: str | None = None
    context: str | None = None

    @property
    def options(self) -> list[str]:
        """Return the options for kubectl."""
        given = {"--kubeconfig": self.kubeconfig, "--context": self.context}
        return [f"{name}={value}" for name, value in given.items() if value is not None]


@contextlib.asynccontextmanager
async def cluster(access: Access) -> AsyncIterator[Kube]:
    """Yield a client of the API server.

    Raises:
        Refused: kubectl does not exist, or does not know such a cluster.

    """
    with tempfile.TemporaryDirectory(prefix="kubectl-orders-") as folder:
        socket = Path(folder, "s")
        async with kubectl_proxy(access, f"--unix-socket={socket}"):
            transport = httpx2.AsyncHTTPTransport(uds=str(socket), limits=_CONNECTIONS)
            http = httpx2.AsyncClient(
                transport=transport, base_url="http://localhost", timeout=TIMEOUT_SECONDS
            )
            async with http:
                yield Kube(http)


@contextlib.asynccontextmanager
async def kubectl_proxy(access: Access, *options: str, alone: bool = False) -> AsyncIterator[str]:
    """Run `kubectl proxy`; yield its message once it serves.

    Args:
        access: the cluster.
        options: further options of `kubectl proxy`.
        alone: whether Ctrl-C does not reach it; then it cannot prompt for anything.

    Raises:
        Refused: it does not serve.

    """
    process = await _kubectl(access, "proxy", *options, alone=alone)
    assert process.stdout is not None  # noqa: S101  it is a pipe
    relay = asyncio.create_task(_relay(process))
    try:
        said = await process.stdout.readline()
        if not said:
            lines = await relay
            raise Refused(_last(lines) or "kubectl proxy ended at once")
        yield said.decode().strip()
    finally:
        relay.cancel()
        if process.returncode is None:
            # Its own terminate() polls for its end, and so takes the exit status from asyncio.
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGTERM)
        await process.wait()


async def namespace(access: Access) -> str:
    """Return the namespace of the kubeconfig's context, `default` if it has none."""
    process = await _kubectl(
        access, "config", "view", "--minify", "--output=jsonpath={..namespace}"
    )
    said, _ = await process.communicate()
    return said.decode().strip() or "default"


async def _kubectl(access: Access, *arguments: str, alone: bool = False) -> Process:
    try:
        return await asyncio.create_subprocess_exec(
            "kubectl",
            *arguments,
            *access.options,
            stdin=DEVNULL if alone else None,
            stdout=PIPE,
            stderr=PIPE,
            process_group=0 if alone else None,
        )
    except FileNotFoundError:
        raise Refused("kubectl is not on PATH") from None


async def _relay(process: Process) -> list[bytes]:
    """Pass on the messages of programs that log in; keep kubectl's errors, which are told once."""
    assert process.stderr is not None  # noqa: S101  it is a pipe
    kept = []
    async for line in process.stderr:
        if line.startswith(b"error: "):
            kept.append(line)
        elif not _LOG.match(line):
            sys.stderr.write(line.decode(errors="replace"))
    return kept


def _last(lines: list[bytes]) -> str:
    return lines[-1].decode(errors="replace").removeprefix("error: ").strip() if lines else ""
