"""CORS: what pages of other origins may read, on either path, and what is asked beforehand."""

import itertools
import re
from collections.abc import Callable, Iterator

import httpx
import pytest

from tests.helpers.entry_points import BridgedServer, Doors, open_doors
from tests.helpers.hot_requests import SEEDED, UNKNOWN, catalogue
from tests.helpers.postgres import Databases
from tests.helpers.raw_http import Request
from tests.helpers.server import Server

SHOP, OTHER = "https://shop.test", "https://elsewhere.test"
NEW = {"item": "tea", "quantity": 1}
PREFLIGHT = {"access-control-request-method": "POST"}
SETTINGS = {"CORS_ALLOW_ORIGINS": f"{SHOP}, http://localhost:3000"}


@pytest.fixture(scope="module")
def doors(postgres: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """Start the service in each of its forms, with CORS."""
    folder = tmp_path_factory.mktemp("cors")
    with open_doors(postgres, folder, SETTINGS, cold=BridgedServer) as opened:
        yield opened


def marks(answer: httpx.Response) -> dict[str, str]:
    """Return what an answer says of CORS."""
    return {
        name.removeprefix("access-control-"): value
        for name, value in answer.headers.items()
        if name.startswith("access-control-") or name == "vary"
    }


def test_the_catalogue_is_answered_alike(doors: Doors) -> None:
    """Every request of the catalogue, sent by some page, is answered alike on all paths."""
    compared = []
    for request, origin in zip(catalogue(), itertools.cycle([SHOP, OTHER, SHOP]), strict=False):
        sent = request._replace(headers=(*request.headers, ("Origin", origin)))
        answers = doors.compare(sent)
        if answers is not None:
            compared.append((sent, *answers))

    assert [] == compared


def test_every_answer_is_marked(doors: Doors) -> None:
    """Whatever is answered to an allowed page names it, and varies with the origin."""
    for path in (f"/orders/{SEEDED}", f"/orders/{UNKNOWN}", "/orders", "/nothing", "/livez"):
        for method in ("GET", "POST", "OPTIONS", "BREW"):
            for door in doors:
                headers = dict(
                    door.ask(Request(method, path, (("Origin", SHOP),))).headers,
                )
                assert SHOP == headers["access-control-allow-origin"], (method, path)
                assert "origin" in re.split(", ?", headers["vary"]), (method, path)


@pytest.fixture(scope="module")
def service(postgres: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Start a service that lets a shop in, with credentials."""
    url = postgres.migrated_database()
    started = Server(
        tmp_path_factory.mktemp("cors") / "serve.log",
        DATABASE_URL=url,
        CORS_ALLOW_CREDENTIALS="true",
        CORS_MAX_AGE="1h",
        **SETTINGS,
    )
    started.wait_for()
    yield started
    assert 0 == started.stop()
    postgres.drop(url)


def test_a_page_of_the_shop_may_read_answers(service: Server) -> None:
    """A create, a read, a 304 and a refusal say to whom they may be shown, with what of them."""
    with httpx.Client(base_url=service.url, headers={"origin": SHOP}) as page:
        created = page.post("/orders", json=NEW)
        path = created.headers["location"]
        read = page.get(path)
        unchanged = page.get(path, headers={"if-none-match": read.headers["etag"]})
        refused = page.post("/orders", json={"item": ""})
        answers = [created, read, unchanged, refused, page.get("/orders"), page.get("/docs")]

    assert [201, 200, 304, 400, 200, 200] == [answer.status_code for answer in answers]
    for answer in answers:
        found = marks(answer)
        assert "origin" in found.pop("vary").split(", ")
        assert {
            "allow-origin": SHOP,
            "allow-credentials": "true",
            "expose-headers": (
                "location, etag, link, idempotency-replayed, retry-after, www-authenticate, "
                "x-correlation-id"
            ),
        } == found


@pytest.mark.parametrize("origin", [None, OTHER, "null", SHOP.upper(), f"{SHOP}.evil.test", "é"])
def test_others_are_shown_nothing(service: Server, origin: str | None) -> None:
    """For any other origin there is no mark, but caches learn that it would matter."""
    headers = {} if origin is None else {b"origin": origin.encode()}
    answer = httpx.post(f"{service.url}/orders", json=NEW, headers=headers)

    assert 201 == answer.status_code
    assert {"vary": "origin"} == marks(answer)


@pytest.mark.parametrize("path", ["/orders", f"/orders/{UNKNOWN}", "/orders/batch", "/livez"])
def test_a_preflight_is_answered(service: Server, path: str) -> None:
    """A browser learns what it may send, on every path, and remembers it for an hour."""
    asked = {"origin": SHOP, "access-control-request-headers": "authorization,x-api-key"}
    answer = httpx.options(service.url + path, headers=asked | PREFLIGHT)

    assert (204, b"") == (answer.status_code, answer.content)
    assert answer.headers["x-correlation-id"]
    found = marks(answer)
    allowed = found["allow-headers"].split(", ")
    assert {"authorization", "x-api-key", "idempotency-key", "content-type"} <= set(allowed)
    assert (SHOP, "GET, HEAD, POST", "3600", "true", "origin") == (
        found["allow-origin"],
        found["allow-methods"],
        found["max-age"],
        found["allow-credentials"],
        found["vary"],
    )


def test_a_preflight_of_others_allows_nothing(service: Server) -> None:
    """Without the mark for its origin a browser sends nothing."""
    answer = httpx.options(f"{service.url}/orders", headers={"origin": OTHER} | PREFLIGHT)

    assert 204 == answer.status_code
    assert "allow-origin" not in marks(answer)


def test_options_of_other_kinds_say_what_they_said(service: Server) -> None:
    """Without what makes it a preflight, OPTIONS tells the methods of a path."""
    answer = httpx.options(f"{service.url}/orders", headers={"origin": SHOP})

    assert "GET, HEAD, OPTIONS, POST" == answer.headers["allow"]


def test_preflights_are_recorded(service: Server) -> None:
    """A preflight is a line in the log, and a request in the metrics."""
    traced = {"traceparent": "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}
    httpx.options(f"{service.url}/orders", headers={"origin": SHOP} | PREFLIGHT | traced)
    metrics = httpx.get(f"{service.metrics_url}/metrics").text
    counted = [line for line in metrics.splitlines() if "duration_seconds_count" in line]

    assert "4bf92f3577b34da6a3ce929d0e0e4736" in service.output()
    assert any(
        all(label in line for label in ('"OPTIONS"', 'http_route="/orders"', '"204"'))
        for line in counted
    )


def test_preflights_need_no_database(serve: Callable[..., Server]) -> None:
    """Where the database is away, a preflight is answered all the same."""
    away = "postgresql://postgres@127.0.0.1:9/orders"
    server = serve(wait_for="/livez", DATABASE_URL=away, REQUEST_TIMEOUT="1", **SETTINGS)

    answers = [
        httpx.options(f"{server.url}/orders", headers={"origin": SHOP} | PREFLIGHT)
        for _ in range(50)
    ]
    refused = httpx.post(f"{server.url}/orders", json=NEW, headers={"origin": SHOP})

    assert {204} == {answer.status_code for answer in answers}
    assert (503, SHOP) == (refused.status_code, refused.headers["access-control-allow-origin"])


def test_everyone_may_be_let_in(database_url: str, serve: Callable[..., Server]) -> None:
    """With `*`, by GoFr's names, answers are the same for every origin, and say so."""
    server = serve(
        DATABASE_URL=database_url,
        ACCESS_CONTROL_ALLOW_ORIGIN="*",
        ACCESS_CONTROL_ALLOW_HEADERS="*",
        ACCESS_CONTROL_EXPOSE_HEADERS="ETag",
        ACCESS_CONTROL_MAX_AGE="60",
    )
    with httpx.Client(base_url=server.url) as client:
        alone = client.post("/orders", json=NEW)
        page = client.get(alone.headers["location"], headers={"origin": OTHER})
        asked = client.options("/orders", headers={"origin": OTHER} | PREFLIGHT)

    for answer in (alone, page):
        found = marks(answer)
        assert "origin" not in found.pop("vary", "")
        assert {"allow-origin": "*", "expose-headers": "etag"} == found
    assert ("*, authorization", "60") == (
        marks(asked)["allow-headers"],
        marks(asked)["max-age"],
    )


def test_it_is_off_unless_an_origin_is_named(
    database_url: str, serve: Callable[..., Server]
) -> None:
    """Without a setting no answer has a mark, and a preflight is an ordinary OPTIONS."""
    server = serve(DATABASE_URL=database_url)
    created = httpx.post(f"{server.url}/orders", json=NEW, headers={"origin": SHOP})
    asked = httpx.options(f"{server.url}/orders", headers={"origin": SHOP} | PREFLIGHT)

    assert "origin" not in created.headers.get("vary", "")
    assert [] == [name for name in (*created.headers, *asked.headers) if "access-control" in name]
    assert "GET, HEAD, OPTIONS, POST" == asked.headers["allow"]
