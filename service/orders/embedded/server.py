"""The server: its data, its start and its end."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final, Literal
from urllib.parse import quote

from orders.embedded.account import Account
from orders.embedded.programs import EmbeddedError, find_programs

Mode = Literal["smart", "fast", "immediate"]

DATABASE: Final = "orders"

_ROLE: Final = "postgres"
_PORT: Final = 5432
_SOCKET: Final = f".s.PGSQL.{_PORT}"
_SIGNALS: Final[dict[Mode, signal.Signals]] = {
    "smart": signal.SIGTERM,
    "fast": signal.SIGINT,
    "immediate": signal.SIGQUIT,
}
_LONGEST_SOCKET_PATH: Final = 103  # bytes; Linux has 107, macOS 103
_SPECIAL: Final = frozenset(',"')
_START_LIMIT: Final = 60.0
_STOP_LIMIT: Final = 15.0
_POLL: Final = 0.01
_LOG_TAIL: Final = 5
_INITDB: Final = (
    f"--username={_ROLE}",
    "--auth=trust",  # who may open the socket, or is on this machine's loopback, may do all
    "--encoding=UTF8",
    "--locale=C",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    "--no-instructions",
    "--no-sync",  # once at the end instead
)


class EmbeddedPostgres:
    """One server and its data.

    Args:
        folder: where the data is, in `postgres`, and the log, in `postgres.log`; made when they
            are missing. Only one server at a time may have it.
        port: of 127.0.0.1; None for a socket that only this user may open.
        settings: of postgresql.conf, in addition to PostgreSQL's defaults.
    """

    def __init__(
        self, folder: Path, *, port: int | None = None, settings: Mapping[str, str] | None = None
    ) -> None:
        self._folder = folder.absolute()
        self._data = self._folder / "postgres"
        self._log = self._folder / "postgres.log"
        self._port = port
        self._settings = dict(settings or {})
        self._programs = find_programs()
        self._account = Account()
        self._socket_folder: Path | None = None
        self._process: subprocess.Popen[bytes] | None = None
        self._watchdog: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Return when the server accepts connections; make the data first if there is none.

        Raises:
            EmbeddedError: it does not start.
        """
        self._folder.mkdir(parents=True, exist_ok=True)
        self._account = Account.for_data(self._data, self._programs)
        self._wait_for_predecessor()
        if not self._data.exists():
            self._make_data()
        with self._log.open("ab") as output:
            self._process = subprocess.Popen(
                [self._programs / "postgres", "-D", self._data, *self._options()],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                **self._account.options(),
            )
        # Its input ends when this process does, however that happens.
        self._watchdog = subprocess.Popen(
            ["/bin/sh", "-c", f"read -r _; kill -INT {self._process.pid}"],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            **self._account.options(),
        )
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.stop("immediate")
            raise

    def stop(self, mode: Mode = "fast") -> None:
        """Stop the server as `pg_ctl stop -m MODE` does; does nothing when it is not running."""
        process, self._process = self._process, None
        watchdog, self._watchdog = self._watchdog, None
        if watchdog is not None:
            watchdog.kill()
            watchdog.communicate()
        if process is not None:
            for number in (_SIGNALS[mode], signal.SIGQUIT, signal.SIGKILL):
                process.send_signal(number)
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(_STOP_LIMIT)
                    break
        if self._socket_folder not in {None, self._data}:
            shutil.rmtree(str(self._socket_folder), ignore_errors=True)
        self._socket_folder = None

    def url(self, database: str = DATABASE) -> str:
        """Return the database's URL."""
        place = f"127.0.0.1:{self._port}"
        if self._port is None:
            place = f"{quote(str(self._socket_folder), safe='')}:{_PORT}"
        return f"postgresql://{_ROLE}@{place}/{quote(database, safe='')}"

    @property
    def pid(self) -> int | None:
        """The postmaster's process id, None when it is not running."""
        return self._process.pid if self._process else None

    def _options(self) -> list[str]:
        if self._port is None:
            self._socket_folder = self._choose_socket_folder()
            place = {
                "listen_addresses": "",
                "unix_socket_directories": f'"{self._socket_folder}"',
                "port": str(_PORT),
            }
        else:
            place = {
                "listen_addresses": "127.0.0.1",
                "unix_socket_directories": "",
                "port": str(self._port),
            }
        return [f"--{name}={value}" for name, value in (place | self._settings).items()]

    def _choose_socket_folder(self) -> Path:
        """Return the data's own folder, or a new one if its path cannot be that of a socket.

        A path may be too long, or have a character that PostgreSQL's lists of hosts and folders
        treat specially.
        """
        path = str(self._data / _SOCKET)
        if len(os.fsencode(path)) <= _LONGEST_SOCKET_PATH and not _SPECIAL.intersection(path):
            return self._data
        folder = Path(tempfile.mkdtemp(prefix="orders-"))
        self._account.give(folder)
        return folder

    def _make_data(self) -> None:
        """Make the data beside its place, so that a partial result is never taken for data."""
        half_made = self._folder / "postgres.new"
        shutil.rmtree(half_made, ignore_errors=True)
        half_made.mkdir(mode=0o700)
        self._account.give(half_made)
        at = ("-D", str(half_made))
        self._run("initdb", *_INITDB, *at)
        self._run("postgres", "--single", "-F", *at, _ROLE, text=f"CREATE DATABASE {DATABASE}\n")
        self._run("initdb", "--sync-only", *at)
        half_made.rename(self._data)

    def _run(self, program: str, *arguments: str, text: str = "") -> None:
        with subprocess.Popen(
            [self._programs / program, *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            text=True,
            **self._account.options(),
        ) as process:
            try:
                _, complaint = process.communicate(text)
            except BaseException:
                os.killpg(process.pid, signal.SIGKILL)  # it has children of its own
                raise
        if process.returncode != 0:
            raise EmbeddedError(f"{program} failed: {complaint.strip()}")

    def _wait_until_ready(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _START_LIMIT
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise EmbeddedError(f"PostgreSQL did not start: {self._end_of_log()}")
            lines = self._pid_file()
            if lines[:1] == [str(process.pid)] and lines[-1].strip() == "ready":
                return
            time.sleep(_POLL)
        raise EmbeddedError(f"PostgreSQL is not ready after {_START_LIMIT:g} s; see {self._log}")

    def _wait_for_predecessor(self) -> None:
        """Stop a server that is still there, and forget one that is not.

        The pid of a server that crashed may be another process's by now, and PostgreSQL would then
        not start; that of one whose parent was killed may stay, if nobody waits for orphans. It
        stands in the lock file of the data and in that of the socket.
        """
        deadline = time.monotonic() + _STOP_LIMIT
        for pid in self._predecessors():
            while self._is_server(pid):
                if time.monotonic() > deadline:
                    raise EmbeddedError(
                        f"PostgreSQL, process {pid}, does not stop; see {self._log}"
                    )
                os.kill(pid, signal.SIGINT)
                time.sleep(_POLL)
        for left in ("postmaster.pid", f"{_SOCKET}.lock"):
            (self._data / left).unlink(missing_ok=True)

    def _predecessors(self) -> list[int]:
        """Return the processes that may be the server.

        A lock file without a pid, as a power loss leaves it, may belong to any process. A server
        is older than its backends, which do not end by themselves, so the oldest come first.
        """
        import psutil  # noqa: PLC0415  it comes with the wheel

        if not (self._data / "postmaster.pid").exists():
            return []
        lines = self._pid_file()
        if lines and lines[0].isdecimal():
            return [int(lines[0])]
        processes = psutil.process_iter(["create_time"])
        return [p.pid for p in sorted(processes, key=lambda p: p.info["create_time"] or 0.0)]

    def _is_server(self, pid: int) -> bool:
        import psutil  # noqa: PLC0415  the same

        try:
            process = psutil.Process(pid)
            return (
                process.status() != psutil.STATUS_ZOMBIE
                and process.name() == "postgres"
                and process.cwd() == str(self._data.resolve())
            )
        except psutil.Error:
            return False

    def _pid_file(self) -> list[str]:
        try:
            text = (self._data / "postmaster.pid").read_text(encoding="utf-8", errors="replace")
        except FileNotFoundError:
            return []
        return text.splitlines()

    def _end_of_log(self) -> str:
        lines = self._log.read_text(encoding="utf-8", errors="replace").splitlines()
        return "\n".join([*lines[-_LOG_TAIL:], f"(from {self._log})"])
