"""The PostgreSQL out of the wheel: where its socket is, what is said when it fails."""

import importlib.util
import tempfile
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from orders.embedded import EmbeddedError, EmbeddedPostgres
from tests.helpers.ports import free_port
from tests.helpers.postgres import Databases, reachable_folder


@pytest.fixture(scope="module")
def folder() -> Iterator[Path]:
    """Have a folder that PostgreSQL's user can reach, under a path too long for a socket."""
    with reachable_folder() as found:
        yield found / ("long" * 30)


@pytest.mark.parametrize("name", ["", 'tea, "green" & 50 %'], ids=["long", "special"])
def test_path_may_be_one_that_no_socket_may_have(
    name: str, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The socket is then in a short folder of its own, which is gone after the stop."""
    monkeypatch.setattr(tempfile, "tempdir", str(folder.parent))
    server = EmbeddedPostgres(folder.parent / name if name else folder)
    server.start()
    socket = list(folder.parent.glob("orders-*/.s.PGSQL.*[0-9]"))
    answer = Databases(server.url()).execute("SELECT current_database()::text, current_user::text")
    server.stop()

    assert [("orders", "postgres")] == answer
    assert 1 == len(socket)
    assert [] == list(folder.parent.glob("orders-*"))


def test_pid_that_is_somebody_elses_by_now_is_no_server(folder: Path) -> None:
    """The files of the data and of the socket, left by a power loss, do not prevent the start.

    Another server has the number now: PostgreSQL heeds only what its own user runs.
    """
    other = EmbeddedPostgres(folder)
    other.start()
    with reachable_folder() as short:
        data = short / "postgres"
        files = data / "postmaster.pid", data / ".s.PGSQL.5432.lock"
        server = EmbeddedPostgres(short)
        server.start()
        texts = [file.read_text("utf-8") for file in files]
        server.stop()
        for file, text in zip(files, texts, strict=True):
            file.write_text(text.replace(text.split()[0], str(other.pid), 1), "utf-8")
        server.start()
        server.stop()
        assert not any(file.exists() for file in files)
    assert [(1,)] == Databases(other.url()).execute("SELECT 1")
    other.stop()


@pytest.mark.parametrize("left", [b"", b"\0" * 64, b"\xff\n"], ids=["empty", "NUL", "bytes"])
def test_pid_file_without_a_pid_prevents_no_start(left: bytes) -> None:
    """A power loss may keep a file and lose its content; a server that runs is still found."""
    with reachable_folder() as short:
        first, second = EmbeddedPostgres(short), EmbeddedPostgres(short)
        first.start()
        running = psutil.Process(first.pid)
        (short / "postgres" / "postmaster.pid").write_bytes(left)

        second.start()

        assert not running.is_running() or psutil.STATUS_ZOMBIE == running.status()
        assert [(1,)] == Databases(second.url()).execute("SELECT 1")
        second.stop()
        first.stop()


def test_start_that_fails_shows_the_end_of_the_log(folder: Path) -> None:
    """The message has what PostgreSQL said, and where more of it is."""
    server = EmbeddedPostgres(folder, port=free_port(), settings={"shared_buffers": "none"})

    with pytest.raises(EmbeddedError) as caught:
        server.start()

    assert 'invalid value for parameter "shared_buffers": "none"' in str(caught.value)
    assert str(folder / "postgres.log") in str(caught.value)


def test_missing_wheel_is_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Without the `dev` extra the message says what to install."""
    monkeypatch.setattr(importlib.util, "find_spec", lambda _: None)

    with pytest.raises(EmbeddedError, match=r"install orders-service\[dev\], or set DATABASE_URL"):
        EmbeddedPostgres(tmp_path)
