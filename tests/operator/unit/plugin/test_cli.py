"""Calls that never reach a cluster."""

from pathlib import Path

import pytest

from orders_operator import __version__
from orders_operator.plugin.cli import main


@pytest.mark.parametrize(
    ("call", "expected"),
    [
        (["promote"], "the following arguments are required: NAME"),
        (["status", "Shop/orders"], "argument NAME: 'Shop/orders' is not the name of an object"),
        (["-n", "..", "status"], "argument -n/--namespace: '..' is not the name of an object"),
        (
            ["logs", "orders", "--tail", "-1"],
            "argument --tail: '-1' is not a number from 0 to 1000000",
        ),
        (["logs", "orders", "--canary", "--stable"], "not allowed with argument --canary"),
        (["status", "-o", "yaml"], "argument -o/--output: invalid choice: 'yaml'"),
        (["stop", "orders"], "argument COMMAND: invalid choice: 'stop'"),
        (["restart"], "one of the arguments NAME --all is required"),
        (["restart", "orders", "--all"], "argument --all: not allowed with argument NAME"),
        (["restart", "--all", "orders"], "argument NAME: not allowed with argument --all"),
    ],
)
def test_a_wrong_call_is_one_line(
    capsys: pytest.CaptureFixture[str], call: list[str], expected: str
) -> None:
    """It names what was wrong; the exit status is 2."""
    with pytest.raises(SystemExit) as caught:
        main(call)

    said = capsys.readouterr().err
    assert 2 == caught.value.code
    assert expected in said
    assert 1 == said.count("\n")


def test_a_token_does_not_go_by_the_proxy(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """The API server's proxy drops it, and each request would be refused; the status is 2."""
    token = tmp_path / "token"
    token.write_text("t0ken")

    assert 2 == main(["load", "orders", "--token-file", str(token)])
    said = capsys.readouterr().err
    assert said.startswith(
        "kubectl orders load: --token-file needs --url, as the API server's proxy"
    )
    assert 1 == said.count("\n")


def test_no_command_gets_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    """On stderr, as it is a wrong call."""
    assert 2 == main([])
    assert "usage: kubectl orders" in capsys.readouterr().err


def test_it_tells_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    """It is the operator's."""
    with pytest.raises(SystemExit):
        main(["--version"])
    assert f"kubectl orders {__version__}\n" == capsys.readouterr().out


def test_it_needs_kubectl(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Without kubectl on PATH there is one line, and the exit status is 1."""
    monkeypatch.setenv("PATH", str(tmp_path))

    assert 1 == main(["status"])
    assert "kubectl orders: kubectl is not on PATH\n" == capsys.readouterr().err
