"""`orders-operator load`: one load, from its first request to its report.

SIGINT and SIGTERM stop it early; it still reports what it knows by then.
"""

import asyncio
import contextlib
import signal
import sys
from pathlib import Path
from typing import BinaryIO

import msgspec

from orders_common.settings import refusal
from orders_operator.load.engine import Load
from orders_operator.load.port import Port
from orders_operator.load.settings import Address, LoadSettings


def main(settings: LoadSettings, listen: Address | None, ledger: Path | None) -> int:
    """Make a load; return the exit status, which is 0 whatever the service answered.

    Raises:
        ConfigError: the port cannot be bound, or the ledger cannot be written.

    """
    with contextlib.ExitStack() as stack:
        file = None
        if ledger is not None:
            try:
                file = stack.enter_context(ledger.open("wb"))
            except OSError as error:
                allowed = f"a file that can be written ({error.strerror})"
                raise refusal("--ledger", str(ledger), allowed) from None
        return asyncio.run(_run(settings, listen, file))


async def _run(settings: LoadSettings, listen: Address | None, ledger: BinaryIO | None) -> int:
    load = Load(settings)
    told = asyncio.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        asyncio.get_running_loop().add_signal_handler(number, _stop, load, told)
    async with contextlib.AsyncExitStack() as stack:
        if listen is not None:
            port = Port(load)
            stack.push_async_callback(port.close)
            await _open(port, listen)
        await load.run()
        if ledger is not None:
            ledger.writelines(msgspec.json.encode(entry) + b"\n" for entry in load.ledger())
            ledger.flush()
        if listen is not None:
            await told.wait()
            return 0
    sys.stdout.buffer.write(msgspec.json.format(msgspec.json.encode(load.report())) + b"\n")
    return 0


async def _open(port: Port, listen: Address) -> None:
    try:
        await port.open(listen)
    except OSError as error:
        allowed = f"HOST:PORT to listen on ({error.strerror})"
        raise refusal("--listen", f"{listen.host or ''}:{listen.port}", allowed) from None


def _stop(load: Load, told: asyncio.Event) -> None:
    load.stop()
    told.set()
