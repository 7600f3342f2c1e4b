"""A real PgBouncer in front of a server of the tests; `tools/pgbouncer` installs two of it."""

import contextlib
import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from tests.helpers.paths import ROOT
from tests.helpers.ports import free_port
from tests.helpers.postgres import reachable_folder

_FOLDER = ROOT / ".cache" / "pgbouncer"
_LIMIT = 10.0


def older() -> str:
    """Return the program that does not keep prepared statements apart; skip without one."""
    program = shutil.which("pgbouncer", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
    return program or pytest.skip("there is no pgbouncer here: tools/pgbouncer installs it")


def newer() -> str:
    """Return the program that does; skip without one."""
    program = _FOLDER / "pgbouncer"
    if not program.exists():
        pytest.skip("there is no PgBouncer 1.21 or newer here: tools/pgbouncer installs it")
    return str(program)


@contextlib.contextmanager
def pgbouncer(program: str, url: str, mode: str, **settings: str | int) -> Iterator[str]:
    """Run a pooler of a database in a mode; yield the URL of the database through it."""
    place, port = urlsplit(url), free_port()
    made = {
        "listen_addr": "127.0.0.1",
        "listen_port": port,
        "unix_socket_dir": "",
        "auth_type": "trust",
        "pool_mode": mode,
        "admin_users": "admin",
    } | settings
    with reachable_folder() as folder:
        folder.chmod(0o755)
        made["auth_file"] = str(folder / "users")
        (folder / "users").write_text(f'"{place.username}" ""\n"admin" ""\n')
        lines = [f"{name} = {value}" for name, value in made.items()]
        database = f"* = host={place.hostname} port={place.port}"
        text = "\n".join(["[databases]", database, "[pgbouncer]", *lines, ""])
        (folder / "pgbouncer.ini").write_text(text)
        with (folder / "log").open("wb") as log:
            user = ("-u", "nobody") if os.geteuid() == 0 else ()
            process = subprocess.Popen(
                [program, *user, str(folder / "pgbouncer.ini")], stdout=log, stderr=log
            )
        try:
            _wait_for(port, process, folder / "log")
            yield place._replace(netloc=f"{place.username}@127.0.0.1:{port}").geturl()
        finally:
            process.kill()
            process.wait()


def _wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + _LIMIT
    while time.monotonic() < deadline and process.poll() is None:
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.01)
    raise AssertionError(f"PgBouncer does not listen:\n{log.read_text()}")
