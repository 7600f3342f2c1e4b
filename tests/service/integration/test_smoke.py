"""`orders smoke`: a look at a running service from outside."""

from collections.abc import Callable
from pathlib import Path

import pytest

from orders.cli import main
from tests.helpers.certificates import Authority
from tests.helpers.guarded_service import Closed
from tests.helpers.ports import free_port
from tests.helpers.redirecting_server import onward
from tests.helpers.server import Server


def test_a_working_service_passes(
    database_url: str, serve: Callable[..., Server], capsys: pytest.CaptureFixture[str]
) -> None:
    """One order is placed, replayed and read back."""
    server = serve(DATABASE_URL=database_url)

    assert 0 == main(["smoke", f"http://127.0.0.1:{server.port}"], {})
    assert capsys.readouterr().out.endswith(": created, replayed and read\n")


def test_a_service_without_its_schema_fails(
    database: str, serve: Callable[..., Server], capsys: pytest.CaptureFixture[str]
) -> None:
    """What was asked and what came is said in one line."""
    server = serve(DATABASE_URL=database, wait_for="/livez")

    assert 1 == main(["smoke", f"http://127.0.0.1:{server.port}", "--wait", "0.1"], {})
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"orders: POST http://127.0.0.1:{server.port}/orders: 50")


def test_nobody_there_fails(capsys: pytest.CaptureFixture[str]) -> None:
    """A refused connection is said in one line; a URL must be one."""
    port = free_port()

    assert 1 == main(["smoke", f"http://127.0.0.1:{port}"], {})
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"orders: POST http://127.0.0.1:{port}/orders: ")
    assert "refused" in line
    with pytest.raises(SystemExit, match="2"):
        main(["smoke", "localhost:8000"], {})


@pytest.mark.parametrize("flag", ["--api-key-file", "--token-file"])
def test_a_caller_shows_what_is_in_a_file(
    closed: Closed, tmp_path: Path, flag: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """With each request, and nothing of it is printed; without, the refusal is."""
    known = ["smoke", closed.url, "--ca-file", str(closed.authority.certificate)]
    file = tmp_path / "credential"
    file.write_text("another")

    assert 0 == main([*known, flag, str(closed.credentials[flag])], {})
    assert 1 == main(known, {})
    assert 1 == main([*known, flag, str(file)], {})
    said = capsys.readouterr()
    for secret in (closed.credentials[flag].read_text().strip(), "another"):
        assert secret not in said.out + said.err
    assert 2 == said.err.count(": 401 ")


def test_a_service_over_tls_is_known_by_its_authority(
    closed: Closed, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The one that is named, and no other; the system's do not know it."""
    other = Authority(tmp_path, "other")
    calling = ["smoke", closed.url, "--api-key-file", str(closed.credentials["--api-key-file"])]

    assert 0 == main([*calling, "--ca-file", str(closed.authority.certificate)], {})
    for more in ([], ["--ca-file", str(other.certificate)]):
        assert 1 == main([*calling, *more], {})
    assert 2 == capsys.readouterr().err.count("certificate verify failed")


def test_a_credential_goes_nowhere_else(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A redirect is not followed: who answers with one would choose who gets the token."""
    file = tmp_path / "token"
    file.write_text("t0ken")
    with onward("/") as other, onward(f"{other.url}/orders") as door:
        assert 1 == main(["smoke", door.url, "--token-file", str(file)], {})
    assert (0, 1) == (other.asked, door.asked)
    assert ": 307 " in capsys.readouterr().err


@pytest.mark.parametrize("content", [None, "", "two words", "k\u00e9y", "line\nstored"])
@pytest.mark.parametrize("flag", ["--api-key-file", "--token-file"])
def test_a_file_without_a_credential_is_one_line(
    tmp_path: Path, flag: str, content: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    """The flag and the file are named, what is in it is not; the status is 2."""
    file = tmp_path / "credential"
    if content is not None:
        file.write_text(content)
    assert 2 == main(["smoke", "http://localhost:1", flag, str(file)], {})
    [line] = capsys.readouterr().err.splitlines()
    assert line.startswith(f"orders: {flag} is '{file}'; allowed: a file with one word")


def test_one_credential_is_enough(capsys: pytest.CaptureFixture[str]) -> None:
    """A service refuses two; and a file of no authorities is told before anything is asked."""
    with pytest.raises(SystemExit, match="2"):
        main(["smoke", "http://a", "--api-key-file", "a", "--token-file", "b"], {})
    assert 2 == main(["smoke", "https://localhost:1", "--ca-file", __file__], {})
    assert "--ca-file is" in capsys.readouterr().err.splitlines()[-1]
