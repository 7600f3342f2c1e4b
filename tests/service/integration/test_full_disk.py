"""A PostgreSQL whose disk is full: writes are refused and said to be, and reads go on."""

import asyncio
import contextlib
import os
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.helpers.postgres import PostgresServer, reachable_folder
from tests.helpers.server import Server, eventually

Start = Callable[..., Server]

ORDER = {"item": "tea", "quantity": 1}
BATCH = [ORDER] * 1000
SIZE = 4 * 1024 * 1024


@contextlib.contextmanager
def small_disk(postgres: PostgresServer, url: str) -> Iterator[Path]:
    """Have the orders on a file system of few megabytes, which is the tablespace's alone."""
    with reachable_folder() as folder:
        folder.chmod(0o755)
        disk = folder / "disk"
        disk.mkdir()
        owner = Path(f"/proc/{postgres.pid}").stat()
        options = f"size={SIZE},uid={owner.st_uid},gid={owner.st_gid},mode=700"
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk],
            capture_output=True,
            text=True,
            check=False,
        )
        if mounted.returncode != 0:
            pytest.skip(f"no file system can be mounted here: {mounted.stderr.strip()}")
        name = f"small_{secrets.token_hex(4)}"
        try:
            postgres.execute(f"CREATE TABLESPACE {name} LOCATION '{disk}'")
            postgres.execute(f"ALTER TABLE orders SET TABLESPACE {name}", url)
            yield disk
            postgres.terminate_backends(url)
            postgres.execute("ALTER TABLE orders SET TABLESPACE pg_default", url)
            postgres.execute(f"DROP TABLESPACE {name}")
        finally:
            subprocess.run(["umount", disk], check=True)


@pytest.mark.skipif(
    os.geteuid() != 0 or shutil.which("mount") is None, reason="it takes root to mount a disk"
)
async def test_a_full_disk_is_told_and_passes(
    private_postgres: PostgresServer, serve: Start
) -> None:
    """Orders are refused as unavailability until there is room; each acknowledged one is there."""
    url = private_postgres.migrated_database()
    with small_disk(private_postgres, url) as disk:
        server = serve(DATABASE_URL=url)
        async with httpx.AsyncClient(base_url=server.url, timeout=10) as client:
            path = (await client.post("/orders", json=ORDER)).headers["location"]
            filler = disk / "filler"
            room = shutil.disk_usage(disk).free - 64 * 1024
            await asyncio.to_thread(filler.write_bytes, bytes(room))
            stored = 1
            while (made := await client.post("/orders/batch", json=BATCH)).status_code == 201:
                stored += len(BATCH)

            async def blocked() -> bool:
                return "disk is full" in (await client.get("/readyz?verbose")).text

            await eventually(blocked)
            single = await client.post("/orders", json=ORDER)
            ready = await client.get("/readyz?verbose")
            read = await client.get(path)
            metrics = (await client.get(f"{server.metrics_url}/metrics")).text
            filler.unlink()

            async def over() -> bool:
                return "[+]writes ok" in (await client.get("/readyz?verbose")).text

            await eventually(over)
            again = await client.post("/orders", json=ORDER)

        [(rows,)] = await asyncio.to_thread(
            private_postgres.execute, "SELECT count(*) FROM orders", url
        )

    assert [503, 503] == [made.status_code, single.status_code]
    assert "database-unavailable" in made.json()["type"]
    assert [200, 200, 201] == [ready.status_code, read.status_code, again.status_code]
    assert 'orders_writes_blocked{reason="disk"} 1.0' in metrics
    assert rows == stored + 1
