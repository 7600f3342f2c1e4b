"""What authentication costs those who do not use it."""

import subprocess
import sys

import pytest

from orders.auth import api_keys
from orders.cli import main
from orders.http.endpoint import Reply, endpoint

HEAVY = "{'jwt', 'cryptography', 'orders.auth.gate', 'orders.auth.keys'}"


def test_nothing_of_it_is_imported() -> None:
    """A service that is open imports neither the JOSE library nor the gate."""
    code = f"import sys, orders.serve, orders.http.app; print({HEAVY} & {{*sys.modules}})"

    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert "set()" == done.stdout.strip()


def test_api_keys_need_no_library() -> None:
    """Who takes API keys alone imports no cryptography."""
    code = "import sys, orders.auth.authentication;print({'jwt', 'cryptography'} & {*sys.modules})"

    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)

    assert "set()" == done.stdout.strip()


def test_an_endpoint_without_a_scope_fails_at_import() -> None:
    """Who may call it is part of a declaration, and one of the scopes there are."""
    with pytest.raises(TypeError, match="requires"):
        endpoint("GET", "/", summary="Open to all")  # type: ignore[call-arg]
    with pytest.raises(ValueError, match="GET / requires 'orders:delete'; allowed: orders:read"):
        endpoint("GET", "/", summary="Of a scope that is none", requires="orders:delete")
    endpoint("GET", "/", summary="Closed", requires="orders:read")(_nothing)


async def _nothing() -> Reply[None]:
    """Do nothing."""
    return Reply(None)


def test_keys_new_prints_two_lines(capsys: pytest.CaptureFixture[str]) -> None:
    """The key and its line, which knows the key; no configuration is read."""
    status = main(
        [
            "keys",
            "new",
            "shop",
            "--scope",
            "orders:read",
            "orders:write",
            "--scope",
            "orders:read",
        ],
        {"HTTP_PORT": "nonsense"},
    )
    key, line = capsys.readouterr().out.splitlines()

    assert 0 == status
    [caller] = api_keys.read(line).values()
    assert caller == api_keys.read(line)[api_keys.digest(key)]
    assert ("shop", {"orders:read", "orders:write"}) == (caller.name, set(caller.scopes))


@pytest.mark.parametrize(
    "arguments",
    [
        ["keys", "new"],
        ["keys", "new", "shop"],
        ["keys", "new", "shop", "--scope", "read"],
        ["keys", "new", "a b", "--scope", "orders:read"],
        ["keys", "new", "", "--scope", "orders:read"],
    ],
)
def test_a_wrong_call_is_told(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Without a name, without a scope, or with a wrong one, nothing is made."""
    with pytest.raises(SystemExit) as ended:
        main(arguments, {})

    assert 2 == ended.value.code
    assert "" == capsys.readouterr().out
