"""Every route that exists, without a credential, with bad ones and with good ones.

What is open is listed here; everything else is closed, whether it exists or not, on every reader.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from orders.auth import api_keys
from orders.http.app import create_app
from orders.http.endpoints import ENDPOINTS
from tests.helpers.attack_tokens import STRANGER, TRUSTED, attacks
from tests.helpers.client_requests import CLIENTS, requests
from tests.helpers.entry_points import Doors, open_doors
from tests.helpers.hot_requests import GOOD, SEEDED, UNKNOWN, catalogue
from tests.helpers.postgres import Databases
from tests.helpers.raw_http import JSON, Answer, Request
from tests.helpers.tokens import AUDIENCE, ISSUER, jwks

Headers = tuple[tuple[str, str], ...]

KEY: Final = api_keys.new_key()
READER: Final = api_keys.new_key()
GOOD_KEY: Final[Headers] = (("X-Api-Key", KEY),)

BAD: Final[dict[str, Headers]] = {
    "none": (),
    "an unknown key": (("X-Api-Key", api_keys.new_key()),),
    "a hash for a key": (("X-Api-Key", api_keys.digest(KEY).hex()),),
    "an empty key": (("X-Api-Key", ""),),
    "a key that is not ASCII": (("X-Api-Key", "é"),),
    "a good key twice": (*GOOD_KEY, *GOOD_KEY),
    "a good key as a bearer token": (("Authorization", f"Bearer {KEY}"),),
    "a good key as a password": (("Authorization", "Basic Ond4"),),
    "no scheme": (("Authorization", TRUSTED[0].token()),),
    "not ASCII": (("Authorization", "Bearer é"),),
    "not ASCII, beside a good key": (("Authorization", "Bearer é"), *GOOD_KEY),
    "a stranger's token": (("Authorization", f"Bearer {STRANGER.token()}"),),
    "an expired token": (("Authorization", f"Bearer {TRUSTED[0].token(claims={'exp': 5})}"),),
    "two tokens": (("Authorization", "Bearer a"), ("Authorization", "Bearer b")),
    "a token and a good key": (("Authorization", f"Bearer {TRUSTED[0].token()}"), *GOOD_KEY),
}
GOOD_ONES: Final[dict[str, Headers]] = {
    "a key": GOOD_KEY,
    **{each.algorithm: (("Authorization", f"Bearer {each.token()}"),) for each in TRUSTED},
    "a token in small letters": (("authorization", f"bearer {TRUSTED[0].token()}"),),
}

OPEN_PATHS: Final = frozenset(
    ("/livez", "/readyz", "/startupz", "/.well-known/alive", "/.well-known/health",
     "/", "/docs", "/docs/docs.js", "/docs/swagger-ui.css", "/docs/none", "/schema/openapi.json",
     "/openapi.json", "/.well-known/openapi.json", "/.well-known/swagger")
)  # fmt: skip
PREFLIGHT: Final[Headers] = (
    ("Origin", "https://shop.example"),
    ("Access-Control-Request-Method", "POST"),
)
METHODS: Final = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "BREW")
ODD_PATHS: Final = (
    "/orders/", "//orders", "/orders//", "/orders/batch/", f"/orders/{UNKNOWN}/", "/nothing",
    "/Orders", "/%6frders", "/orders%2Fbatch", "/docsx", "/livez/", "/livezx", "/docs/../orders",
    "/./orders", "/orders;x", "*", f"/orders/{UNKNOWN}?x=1", f"/orders?api_key={KEY}",
    f"/orders/{UNKNOWN}?access_token={TRUSTED[0].token()}",
)  # fmt: skip


@pytest.fixture(scope="module")
def doors(postgres: Databases, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doors]:
    """Start them with authentication on: API keys, and tokens of an issuer."""
    folder = tmp_path_factory.mktemp("doors")
    (folder / "keys").write_text(
        f"{api_keys.line('shop', KEY, ['orders:read', 'orders:write'])}\n"
        f"{api_keys.line('reader', READER, ['orders:read'])}\n"
    )
    (folder / "jwks").write_text(jwks(*TRUSTED))
    with open_doors(
        postgres,
        folder,
        {
            "AUTH_API_KEYS_FILE": str(folder / "keys"),
            "AUTH_ISSUER": ISSUER,
            "AUTH_AUDIENCE": AUDIENCE,
            "AUTH_JWKS_FILE": str(folder / "jwks"),
        },
        credential=GOOD_KEY,
    ) as opened:
        yield opened


def routes() -> list[str]:
    """Return the path of every route that the application has, with an id where one belongs."""
    nobody: Any = None  # no request is made of it
    app = create_app(nobody)
    paths = {path for route in app.routes for path in [route.path]}
    return sorted(
        path.replace("{id:str}", SEEDED).replace("{file:str}", "docs.js") for path in paths
    )


def is_open(method: str, path: str, headers: Headers) -> bool:
    """Whether everybody may ask this."""
    return path in OPEN_PATHS or (method == "OPTIONS" and set(PREFLIGHT) <= set(headers))


def test_every_route_is_walked() -> None:
    """The routes that the tests below walk are those of the endpoints, and of what is open."""
    declared = {e.path.replace("{id}", SEEDED) for e in ENDPOINTS}

    assert declared == set(routes()) - OPEN_PATHS


@pytest.mark.parametrize("bad", BAD)
def test_no_route_is_open_to_a_bad_credential(doors: Doors, bad: str) -> None:
    """On every route, existing or odd, by every method and reader: 401, and not a word more."""
    wrong = []
    for path in (*routes(), *ODD_PATHS):
        for method in METHODS:
            request = Request(method, path, (JSON, *BAD[bad]), (GOOD,) if method == "POST" else ())
            answer = doors.hot.ask(request)
            if is_open(method, path, ()):
                continue
            told = method == "HEAD" or b"/problems/unauthorized" in answer.body
            challenged = "www-authenticate" in dict(answer.headers)
            if (answer.status, told, challenged) != (401, True, True):
                wrong.append((request, answer))

    assert [] == wrong


def test_no_route_is_closed_to_a_good_credential(doors: Doors) -> None:
    """With a credential that may do all, no route answers 401 or 403."""
    wrong = []
    for path in (*routes(), *ODD_PATHS):
        for method in METHODS:
            for good in GOOD_ONES.values():
                body = (GOOD,) if method == "POST" else ()
                answer = doors.hot.ask(Request(method, path, (JSON, *good), body))
                if answer.status in {401, 403}:
                    wrong.append((method, path, answer))

    assert [] == wrong


def test_what_is_open_needs_no_credential(doors: Doors) -> None:
    """Probes, the documentation and preflights are answered whatever is shown, and alike."""
    wrong = []
    for path in sorted(OPEN_PATHS):
        for credential in ((), BAD["an expired token"], BAD["a token and a good key"]):
            for method in ("GET", "HEAD", "OPTIONS"):
                answer = doors.hot.ask(Request(method, path, credential))
                if answer.status in {401, 403}:
                    wrong.append((method, path, answer))
    for path in (*routes(), "/nothing"):
        answer = doors.hot.ask(Request("OPTIONS", path, PREFLIGHT))
        if answer.status in {401, 403}:
            wrong.append(("OPTIONS", path, answer))

    assert [] == wrong


@pytest.mark.parametrize("endpoint", ENDPOINTS, ids=lambda e: e.name)
def test_a_scope_that_is_lacking_is_forbidden(doors: Doors, endpoint: object) -> None:
    """A caller without an endpoint's scope gets 403, and nothing of the request is judged."""
    method, path, requires = (getattr(endpoint, n) for n in ("method", "path", "requires"))
    others = [s for s in ("orders:read", "orders:write") if s != requires]
    token = TRUSTED[0].token(claims={"scope": " ".join(others)})
    path = path.replace("{id}", UNKNOWN)
    for reader_path in (path, f"{path}?nonsense=1"):
        for body in (GOOD, b"{", b"x" * 70_000):
            request = Request(
                method,
                reader_path,
                (("Accept", "text/html"), JSON, ("Authorization", f"Bearer {token}")),
                (body,) if method == "POST" else (),
            )
            for answer in (door.ask(request) for door in doors):
                assert 403 == answer.status
                assert f'scope="{requires}"' in dict(answer.headers)["www-authenticate"]
                assert b"insufficient-scope" in answer.body


def test_nothing_is_learnt_of_an_order(doors: Doors) -> None:
    """An order that exists and one that does not are refused alike, without and without scope."""
    writer = TRUSTED[0].token(claims={"scope": "orders:write"})
    for headers in ((), BAD["an unknown key"], (("Authorization", f"Bearer {writer}"),)):
        for method in ("GET", "HEAD"):
            there, missing = (
                doors.hot.ask(Request(method, f"/orders/{order_id}", headers))
                for order_id in (SEEDED, UNKNOWN)
            )
            named = there.body.replace(SEEDED.encode(), b"<id>"), missing.body
            assert (there.status, there.headers) == (missing.status, missing.headers)
            assert named[0].replace(b"%3Cseeded%3E", b"<id>") == named[1]


def test_every_credential_is_judged_alike(doors: Doors) -> None:
    """Every credential, with hot requests of ordinary clients, gets the same answer from all."""
    asked = [
        *(
            request
            for client in list(CLIENTS.values())[:2]
            for request in requests(client, SEEDED)
        ),
        Request("GET", f"/orders/{SEEDED}"),
        Request("HEAD", f"/orders/{UNKNOWN}"),
        Request("POST", "/orders", (JSON,), (GOOD,)),
        Request("POST", "/orders", (JSON,), (GOOD,), "chunked"),
        Request("POST", "/orders", (JSON,), (b"{",)),
        Request("GET", "/orders?limit=1"),
        Request("POST", "/orders/batch", (JSON,), (b"[" + GOOD + b"]",)),
    ]
    credentials = [*BAD.values(), *GOOD_ONES.values(), (("X-Api-Key", READER),)]
    compared = []
    for request in asked:
        for credential in credentials:
            sent = request._replace(headers=(*request.headers, *credential))
            if (answers := doors.compare(sent)) is not None:
                compared.append((sent, *answers))

    assert [] == compared


def test_the_catalogue_is_answered_alike_with_a_credential(doors: Doors) -> None:
    """Every request of the catalogue, from a caller who may do all, gets the same from all."""
    wrong = []
    for request in catalogue():
        if any(name.lower() == "authorization" for name, _ in request.headers):
            continue
        sent = request._replace(headers=(*request.headers, *GOOD_KEY))
        if (answers := doors.compare(sent)) is not None:
            wrong.append((sent, *answers))

    assert [] == wrong


def _sendable(token: str) -> bool:
    return token.isascii() and token.isprintable() and token == token.strip()


def test_no_attack_gets_through_a_door(doors: Doors) -> None:
    """Each token of the corpus is refused by the service as it is, on its short path."""
    let_in = []
    for what, token in attacks():
        if not _sendable(token) or len(token) > 12_000:
            continue
        headers = (("Authorization", f"Bearer {token}"),)
        answer = doors.hot.ask(Request("GET", f"/orders/{SEEDED}", headers))
        if answer.status != 401:
            let_in.append((what, answer))

    assert [] == let_in


@settings(max_examples=60)
@given(
    path=st.sampled_from([*routes(), *ODD_PATHS]),
    method=st.sampled_from(METHODS),
    credential=st.sampled_from([*BAD.values(), *GOOD_ONES.values(), (("X-Api-Key", READER),)]),
    more=st.sampled_from(
        [(), (JSON,), PREFLIGHT, (("Accept", "text/html"),), (("If-Match", "*"),)]
    ),
    body=st.sampled_from([(), (GOOD,), (b"{",)]),
)
def test_all_readers_judge_alike(  # noqa: PLR0913  parts of a request
    doors: Doors,
    path: str,
    method: str,
    credential: Headers,
    more: Headers,
    body: tuple[bytes, ...],
) -> None:
    """Whatever is asked with whatever credential, a reader without the gate would be found out."""
    answers = doors.compare(Request(method, path, (*more, *credential), body))

    assert answers is None
    told = doors.hot.ask(Request(method, path, (*more, *credential), body))
    if credential in BAD.values() and not is_open(method, path, more):
        assert told.status in {400, 401}


def test_the_document_names_the_schemes(doors: Doors) -> None:
    """The served OpenAPI document has the schemes in force, and the scope of each operation."""
    answer: Answer = doors.hot.ask(Request("GET", "/openapi.json"))
    document = json.loads(answer.body)

    assert {"bearer", "apiKey"} == set(document["components"]["securitySchemes"])
    for endpoint in ENDPOINTS:
        operation = document["paths"][endpoint.path][endpoint.method.lower()]
        assert [{"bearer": [endpoint.requires]}, {"apiKey": [endpoint.requires]}] == (
            operation["security"]
        )
        assert {"401", "403", "503"} <= set(operation["responses"])
