"""A team's own functions around every request, on the hot path and on the cold one alike."""

from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from orders.auth.api_keys import line, new_key
from orders.cli import main
from tests.helpers.entry_points import Door, Doors, open_doors
from tests.helpers.hot_requests import GOOD, SEEDED, UNKNOWN, catalogue
from tests.helpers.postgres import Databases
from tests.helpers.raw_http import JSON, Answer, Request
from tests.helpers.server import Server

PLUGIN = """
from orders.errors import Overloaded

def install(hooks):
    @hooks.before
    def judge(request):
        request.notes["before"] = request.caller or "anybody"
        if "x-refused" in request.headers:
            raise Overloaded("not at night")
        if "x-broken" in request.headers:
            raise KeyError("a defect of the hook")

    @hooks.failed
    def note(request, error):
        request.notes["failed"] = type(error).__name__

    @hooks.after
    def tell(request, status, headers):
        told = f"{request.method} {request.route} {status} {sorted(request.notes.items())}"
        headers.append(("x-told", told))

    @hooks.after
    def fail(request, status, headers):
        raise ValueError("a hook that fails changes nothing")
"""


def told(answer: Answer) -> str | None:
    """Return what the hooks told in an answer."""
    return dict(answer.headers).get("x-told")


@pytest.fixture(scope="module")
def key() -> str:
    """Make an API key."""
    return new_key()


@pytest.fixture(scope="module")
def doors(
    postgres: Databases, tmp_path_factory: pytest.TempPathFactory, key: str
) -> Iterator[Doors]:
    """Start servers that ask who calls, with hooks."""
    folder = tmp_path_factory.mktemp("hooks")
    (folder / "noted.py").write_text(PLUGIN)
    keys = folder / "keys"
    keys.write_text(line("shop", key, dict.fromkeys(("orders:read", "orders:write"))) + "\n")
    environ = {
        "ORDERS_PLUGINS": "noted:install",
        "PYTHONPATH": str(folder),
        "AUTH_API_KEYS_FILE": str(keys),
    }
    with open_doors(postgres, folder, environ, credential=[("X-Api-Key", key)]) as opened:
        yield opened


@pytest.mark.parametrize("header", [(), ("X-Refused", "1"), ("X-Broken", "1")])
@pytest.mark.parametrize("known", [True, False])
def test_hooks_hold_on_both_paths_alike(
    doors: Doors,
    key: str,
    known: bool,  # noqa: FBT001  a parameter of the test
    header: tuple[str, ...],
) -> None:
    """Whatever is asked, by whomever, gets the same answer from all, with what hooks add to it."""
    more = (*((("X-Api-Key", key),) if known else ()), *((header,) if header else ()))
    asked = [
        request._replace(headers=(*request.headers, *more))
        for request in [*catalogue()][::9]
        if all(value.isascii() for _, value in request.headers)  # else meant to differ
    ]

    compared = ((request, doors.compare(request)) for request in asked)

    assert [] == [(request, *answers) for request, answers in compared if answers is not None]


@pytest.mark.parametrize("way", ["hot", "cold"])
def test_hooks_are_told_what_becomes_of_a_request(doors: Doors, key: str, way: str) -> None:
    """Before with the caller, then of a failure, then of the answer; each once."""
    door: Door = getattr(doors, way)
    credential = ("X-Api-Key", key)
    read = Request("GET", f"/orders/{SEEDED}", (credential,))
    missing = read._replace(path=f"/orders/{UNKNOWN}")
    create = Request("POST", "/orders", (JSON, credential), (GOOD,))
    known = "('before', 'shop')"

    assert [
        f"GET /orders/{{id}} 200 [{known}]",
        f"HEAD /orders/{{id}} 200 [{known}]",
        f"GET /orders/{{id}} 404 [{known}, ('failed', 'OrderNotFound')]",
        "GET /orders/{id} 401 [('failed', 'Unauthorized')]",
        f"POST /orders 201 [{known}]",
        f"POST /orders 400 [{known}, ('failed', 'InvalidRequest')]",
        f"POST /orders 503 [{known}, ('failed', 'Overloaded')]",
        f"POST /orders 500 [{known}, ('failed', 'KeyError')]",
        "POST /orders 401 [('failed', 'Unauthorized')]",
        f"GET unmatched 404 [{known}, ('failed', 'NotFound')]",
    ] == [
        told(door.ask(request))
        for request in (
            read,
            read._replace(method="HEAD"),
            missing,
            read._replace(headers=()),
            create,
            create._replace(body=(b"{",)),
            create._replace(headers=(*create.headers, ("X-Refused", "1"))),
            create._replace(headers=(*create.headers, ("X-Broken", "1"))),
            create._replace(headers=(JSON,)),
            read._replace(path="/nothing"),
        )
    ]


def test_probes_have_no_hooks(
    database_url: str, serve: Callable[..., Server], tmp_path: Path
) -> None:
    """They are neither logged nor told."""
    (tmp_path / "noted.py").write_text(PLUGIN)
    server = serve(
        DATABASE_URL=database_url, ORDERS_PLUGINS="noted:install", PYTHONPATH=str(tmp_path)
    )

    assert "x-told" not in httpx.get(f"{server.url}/livez").headers
    assert "x-told" in httpx.get(f"{server.url}/orders").headers


@pytest.mark.parametrize(
    "value", ["nowhere:install", "orders.hooks:nothing", "unknown", ":", "a:"]
)
def test_a_plugin_that_is_not_there_is_refused(
    value: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line names the variable, what it was and what is allowed."""
    assert 2 == main(["config"], {"ORDERS_PLUGINS": value})
    error = capsys.readouterr().err
    assert f"ORDERS_PLUGINS is '{value}'" in error
    assert "module:function" in error
