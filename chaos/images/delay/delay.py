"""A TCP proxy that delays what callers send: `delay.py SECONDS HOST PORT`.

It is for kernels without sch_netem. Like netem on one side, it delays one direction: a round trip
takes that much longer, and nothing is reordered. It listens on PORT itself.
"""

import asyncio
import sys
from functools import partial

_CHUNK = 65_536


async def _hand_on(
    reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seconds: float
) -> None:
    """Hand on each piece when its time has come, the end as well."""
    loop = asyncio.get_running_loop()
    pieces: asyncio.Queue[tuple[float, bytes]] = asyncio.Queue()

    async def late() -> None:
        while True:
            due, piece = await pieces.get()
            await asyncio.sleep(max(0.0, due - loop.time()))
            if not piece:
                return
            writer.write(piece)
            await writer.drain()

    sending = asyncio.create_task(late())
    try:
        while piece := await reader.read(_CHUNK):
            pieces.put_nowait((loop.time() + seconds, piece))
        pieces.put_nowait((loop.time() + seconds, b""))
        await sending
    except ConnectionError:
        sending.cancel()
    finally:
        writer.close()


async def _serve(
    reader: asyncio.StreamReader,
    writer: asyncio.StreamWriter,
    *,
    seconds: float,
    host: str,
    port: int,
) -> None:
    try:
        other_reader, other_writer = await asyncio.open_connection(host, port)
    except OSError:
        writer.close()
        return
    await asyncio.gather(
        _hand_on(reader, other_writer, seconds),
        _hand_on(other_reader, writer, 0.0),
        return_exceptions=True,
    )


async def main(seconds: float, host: str, port: int) -> None:
    """Serve until the process ends."""
    handler = partial(_serve, seconds=seconds, host=host, port=port)
    server = await asyncio.start_server(handler, port=port)
    await server.serve_forever()


if __name__ == "__main__":
    asyncio.run(main(float(sys.argv[1]), sys.argv[2], int(sys.argv[3])))
