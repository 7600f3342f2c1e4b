"""Authentication of the real service: keys by subject, files that change, issuers that go away."""

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final

import httpx
import pytest

from orders.auth import api_keys
from orders.auth.outcomes import OUTCOMES
from tests.helpers.certificates import Authority
from tests.helpers.collector import Collector
from tests.helpers.issuer import DISCOVERY, KEYS, IssuerServer
from tests.helpers.ports import free_port
from tests.helpers.problem_document import problem
from tests.helpers.server import Server, eventually
from tests.helpers.tokens import AUDIENCE, ISSUER, SUBJECT, jwks, signer
from tests.service.integration.test_observability import access_lines, logged, scrape, value

RSA: Final = signer("RS256", "rsa")
ORDER: Final = {"item": "tea", "quantity": 2}
SHOP, REPORT, SCRAPER = (api_keys.new_key() for _ in range(3))
LINES: Final = (
    api_keys.line("shop", SHOP, ["orders:read", "orders:write"]),
    api_keys.line("report", REPORT, ["orders:read"]),
    api_keys.line("prometheus", SCRAPER, ["metrics:read"]),
)
BY_KEY: Final = {"x-api-key": SHOP}


class QuickServer(Server):
    """The service, which looks at files and asks issuers without long pauses."""

    program = (
        "-c",
        """
import sys
from orders import cli
from orders.auth import authentication, key_source
authentication.EVERY = 0.02
key_source.SPACING = key_source._FIRST_PAUSE = key_source._LONGEST_PAUSE = 0.02
sys.exit(cli.main())
""",
    )


def by_token(token: str) -> dict[str, str]:
    """Return the header of a request with a token."""
    return {"authorization": f"Bearer {token}"}


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Make the files of keys and of subjects."""
    (tmp_path / "keys").write_text("\n".join(LINES))
    (tmp_path / "jwks").write_text(jwks(RSA))
    (tmp_path / "subjects").write_text("# nobody\n")
    return tmp_path


@pytest.fixture
def environ(files: Path, database_url: str) -> dict[str, str]:
    """Have API keys, and the tokens of an issuer whose keys are a file."""
    return {
        "DATABASE_URL": database_url,
        "AUTH_API_KEYS_FILE": str(files / "keys"),
        "AUTH_ISSUER": ISSUER,
        "AUTH_AUDIENCE": AUDIENCE,
        "AUTH_JWKS_FILE": str(files / "jwks"),
        "AUTH_SUBJECTS_FILE": str(files / "subjects"),
    }


@pytest.fixture
def quick(tmp_path: Path) -> Iterator[Callable[..., Server]]:
    """Start services that look often."""
    servers: list[Server] = []

    def start(wait_for: str = "/readyz", **environ: str) -> Server:
        servers.append(QuickServer(tmp_path / f"quick-{len(servers)}.log", **environ))
        servers[-1].wait_for(wait_for)
        return servers[-1]

    yield start
    assert [0] * len(servers) == [server.stop() for server in servers]


@asynccontextmanager
async def client_of(server: Server) -> AsyncIterator[httpx.AsyncClient]:
    """Open a client of the API."""
    async with httpx.AsyncClient(base_url=server.url, timeout=15) as opened:
        yield opened


async def status(client: httpx.AsyncClient, headers: dict[str, str], path: str = "/orders") -> int:
    """Return the status of a read."""
    return (await client.get(path, headers=headers)).status_code


async def test_keys_belong_to_the_subject(
    serve: Callable[..., Server], environ: dict[str, str], files: Path
) -> None:
    """Nobody replays another's order: neither another key, nor a subject of the same name."""
    (files / "issuers").write_text(
        json.dumps(
            [{"issuer": "other", "audience": AUDIENCE, "jwksFile": str(files / "jwks"),
              "subjects": {"shop": ["orders:write"]}}]
        )
    )  # fmt: skip
    writer = api_keys.new_key()
    (files / "keys").write_text(
        "\n".join([*LINES, api_keys.line("writer", writer, ["orders:write"])])
    )
    server = serve(**environ, AUTH_ISSUERS_FILE=str(files / "issuers"))
    callers = [
        BY_KEY,
        {"x-api-key": writer},
        by_token(RSA.token(claims={"sub": "shop"})),
        by_token(RSA.token(claims={"sub": "shop", "iss": "other", "scope": None})),
    ]
    for path, body in (("/orders", ORDER), ("/orders/batch", [ORDER, ORDER])):
        for query in ("", "?"):
            rounds = []
            async with client_of(server) as client:
                for _ in range(2):
                    answers = await asyncio.gather(
                        *(
                            client.post(
                                path + query,
                                json=body,
                                headers={"idempotency-key": f"k{query}{path}", **caller},
                            )
                            for caller in callers
                        )
                    )
                    assert {201} == {answer.status_code for answer in answers}
                    rounds.append(answers)
                other = await client.post(
                    path,
                    json={"item": "milk", "quantity": 1} if body is ORDER else [ORDER],
                    headers={"idempotency-key": f"k{query}{path}", **callers[0]},
                )

            made, again = rounds
            assert 4 == len({answer.text for answer in made})
            assert [a.text for a in made] == [a.text for a in again]
            assert {"true"} == {a.headers.get("idempotency-replayed") for a in again}
            assert not any("idempotency-replayed" in a.headers for a in made)
            assert "idempotency-key-reused" == problem(other)


async def test_it_is_said_who_called(
    serve: Callable[..., Server], environ: dict[str, str], collector: Collector
) -> None:
    """Lines and spans have the bare subject, metrics the outcomes; nothing has a credential."""
    server = serve(**environ, OTEL_EXPORTER_OTLP_ENDPOINT=collector.url)
    token = RSA.token()
    wrong = signer("RS256", "rsa", number=1).token()
    async with client_of(server) as client:
        made = await client.post("/orders", json=ORDER, headers=BY_KEY)
        await client.get(made.headers["location"], headers=by_token(token))
        await client.get(made.headers["location"], headers=by_token(token))
        await client.get("/orders", headers=by_token(token))
        await client.post("/orders", json=ORDER, headers={"x-api-key": REPORT})
        await client.get("/orders", headers=by_token(wrong))
        await client.get(f"/orders?access_token={token}")
        lines = await access_lines(server, 7)
        samples = await scrape(server)
    await asyncio.to_thread(server.stop)

    assert ["shop", SUBJECT, SUBJECT, SUBJECT, "report", None, None] == [
        line.get("subject") for line in lines
    ]
    assert ["insufficient-scope", "unauthorized", "unauthorized"] == [
        line["problem"] for line in lines if "problem" in line
    ]
    called = [
        {a.key: a.value.string_value for a in span.attributes}.get("enduser.id")
        for span in collector.spans
        if span.kind == span.SPAN_KIND_SERVER
    ]
    assert ["report", "shop", SUBJECT, SUBJECT, SUBJECT] == sorted(filter(None, called))
    assert 2 == called.count(None)
    counted = {
        outcome: value(samples, "orders_authentications_total", outcome=outcome)
        for outcome in OUTCOMES
    }
    assert {"accepted": 4, "insufficient-scope": 1, "wrong-signature": 1, "missing": 1} == {
        name: count for name, count in counted.items() if count
    }
    for text in (server.output(), str(collector.spans)):
        for secret in (SHOP, REPORT, *token.split("."), wrong.rpartition(".")[2]):
            assert secret not in text


def replace(file: Path, text: str) -> None:
    """Write a file in one step, so that nobody reads a part of it."""
    new = file.with_suffix(".new")
    new.write_text(text)
    new.replace(file)


async def test_files_are_read_again(
    quick: Callable[..., Server], environ: dict[str, str], files: Path
) -> None:
    """A key, a subject and an issuer's key that are gone let nobody in; new ones do."""
    server = quick(**environ)
    without = by_token(RSA.token(claims={"scope": None}))
    second = signer("ES256", "second")
    async with client_of(server) as client:
        assert [200, 403, 200] == [
            await status(client, headers) for headers in (BY_KEY, without, by_token(RSA.token()))
        ]
        replace(files / "keys", LINES[1])
        replace(files / "subjects", f"{SUBJECT} orders:read\n")

        async def revoked() -> bool:
            return (await status(client, BY_KEY), await status(client, without)) == (401, 200)

        await eventually(revoked)
        replace(files / "jwks", jwks(second))

        async def rotated() -> bool:
            known = by_token(second.token())
            return (await status(client, without), await status(client, known)) == (401, 200)

        await eventually(rotated)
        replace(files / "keys", f"shop {SHOP}")

        async def told() -> bool:
            return any(
                "line 1 must have sha256:" in line["message"]
                for line in logged(server, "orders.auth")
            )

        await eventually(told)
        assert 200 == await status(client, {"x-api-key": REPORT})
    assert SHOP not in server.output()


async def test_further_issuers_come_and_go(
    quick: Callable[..., Server], environ: dict[str, str], files: Path
) -> None:
    """The file of further issuers is followed, and each issuer's keys are its own."""
    path = files / "issuers"
    path.write_text("[]")
    (files / "more").write_text(jwks(signer("EdDSA", "rsa")))
    server = quick(**environ, AUTH_ISSUERS_FILE=str(path))
    other = by_token(signer("EdDSA", "rsa").token(claims={"iss": "other", "aud": "a"}))
    confused = by_token(RSA.token(claims={"iss": "other", "aud": "a"}))
    async with client_of(server) as client:
        assert 401 == await status(client, other)
        path.write_text(json.dumps([{"issuer": "other", "audience": "a", "jwksFile": "/no"}]))

        async def lacks_keys() -> bool:
            lines = logged(server, "orders.auth")
            told = any("jwksFile of other" in line["message"] for line in lines)
            return told and await status(client, other) == 503

        await eventually(lacks_keys)
        assert 200 == (await client.get("/readyz")).status_code
        path.write_text(
            json.dumps([{"issuer": "other", "audience": "a", "jwksFile": str(files / "more")}])
        )

        async def known() -> bool:
            return await status(client, other) == 200

        await eventually(known)
        assert 401 == await status(client, confused)
        path.write_text("[]\n")

        async def gone() -> bool:
            return await status(client, other) == 401

        await eventually(gone)
        assert 200 == await status(client, by_token(RSA.token()))


def discovering(database_url: str, issuer: str, **more: str) -> dict[str, str]:
    """Return the variables for an issuer whose keys are found by discovery."""
    return {
        "DATABASE_URL": database_url,
        "AUTH_ISSUER": issuer,
        "AUTH_AUDIENCE": AUDIENCE,
        **more,
    }


async def test_an_issuer_rotates_its_keys_and_goes_away(
    quick: Callable[..., Server], database_url: str
) -> None:
    """Keys come by discovery, again when one is unknown, and hold while the issuer is away."""
    second = signer("RS256", "second", number=1)
    with IssuerServer(RSA) as issuer:
        server = quick(**discovering(database_url, issuer.url))
        first = by_token(RSA.token(claims={"iss": issuer.url}))
        next_one = by_token(second.token(claims={"iss": issuer.url}))
        async with client_of(server) as client:
            assert 200 == await status(client, first)
            fetched = issuer.asked[KEYS]
            assert 200 == await status(client, first)
            assert fetched == issuer.asked[KEYS]
            issuer.publish(RSA, second)

            async def known() -> bool:
                return await status(client, next_one) == 200

            await eventually(known)
            assert 200 == await status(client, first)
            issuer.publish(second)
            unknown = by_token(signer("RS256", "third").token(claims={"iss": issuer.url}))

            async def gone() -> bool:
                await status(client, unknown)
                return await status(client, first) == 401

            await eventually(gone)
            assert 200 == await status(client, next_one)
    async with client_of(server) as client:
        assert 401 == await status(client, unknown)

        async def complains() -> bool:
            return any(
                "cannot get the keys of the issuer" in line["message"]
                for line in logged(server, "orders.auth")
            )

        await eventually(complains)
        another = by_token(second.token(claims={"iss": issuer.url, "jti": "new"}))
        assert [200, 200] == [await status(client, next_one), await status(client, another)]
        assert 200 == (await client.get("/readyz")).status_code


async def test_an_authority_of_ones_own_is_trusted(
    quick: Callable[..., Server], database_url: str, tmp_path: Path
) -> None:
    """Keys come from an issuer that SSL_CERT_FILE trusts, whatever the database's driver reads."""
    authority, second = Authority(tmp_path), signer("RS256", "second", number=1)
    with IssuerServer(RSA, shown=authority.issue("issuer")) as issuer:
        trusted = {"SSL_CERT_FILE": str(authority.certificate)}
        server = quick(**discovering(database_url, issuer.url, **trusted))
        async with client_of(server) as client:
            for signing in (RSA, second):
                issuer.publish(signing)
                caller = by_token(signing.token(claims={"iss": issuer.url}))

                async def known(caller: dict[str, str] = caller) -> bool:
                    return await status(client, caller) == 200

                await eventually(known, within=60)


@pytest.mark.parametrize("kid", ["rsa", None])
async def test_a_key_that_changes_behind_its_name_is_found(
    quick: Callable[..., Server], database_url: str, kid: str | None
) -> None:
    """An issuer whose keys have no names, or keep them, needs nobody to wait when it rotates."""
    first, second = (signer("RS256", kid, number=number) for number in range(2))
    with IssuerServer(first) as issuer:
        server = quick(**discovering(database_url, issuer.url))
        old, new = (by_token(s.token(claims={"iss": issuer.url})) for s in (first, second))
        async with client_of(server) as client:
            assert [200, 401] == [await status(client, headers) for headers in (old, new)]
            issuer.publish(second)

            async def rotated() -> bool:
                return (await status(client, new), await status(client, old)) == (200, 401)

            await eventually(rotated)


async def test_a_pod_is_not_ready_before_it_has_keys(
    quick: Callable[..., Server], database_url: str, files: Path
) -> None:
    """Until then bearer tokens are 503, API keys are taken, and readiness says why it fails."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    more = {"AUTH_API_KEYS_FILE": str(files / "keys")}
    server = quick("/livez", **discovering(database_url, url, **more))
    token = by_token(RSA.token(claims={"iss": url}))
    async with client_of(server) as client:

        async def says_why() -> bool:
            ready = await client.get("/readyz?verbose")
            lines = ready.text.splitlines()
            return (
                "[+]database ok" in lines
                and ready.status_code == 503
                and (
                    "[-]keys failed: the keys of an issuer are not known yet; the log says why"
                    in lines
                )
            )

        await eventually(says_why)
        hot = await client.get("/orders/00000000-0000-7000-8000-000000000000", headers=token)
        cold = await client.get("/orders", headers=token)
        assert ["authentication-unavailable"] * 2 == [problem(hot), problem(cold)]
        assert [503, 503] == [hot.status_code, cold.status_code]
        assert "1" == hot.headers["retry-after"]
        assert 200 == await status(client, BY_KEY)
        with IssuerServer(RSA, port=port):

            async def ready() -> bool:
                return (await client.get("/readyz")).status_code == 200

            await eventually(ready)
            assert 200 == await status(client, token)


@pytest.mark.parametrize(
    ("path", "answer"),
    [
        (KEYS, (500, {}, b"")),
        (KEYS, (200, {}, b"{}")),
        (KEYS, (200, {}, b'{"keys":[{"kty":"oct","k":"c2VjcmV0","kid":"rsa"}]}')),
        (KEYS, (200, {}, b" " * 600_000)),
        (KEYS, (302, {"location": "http://issuer.example/keys"}, b"")),
        (KEYS, (302, {"location": "file:///etc/passwd"}, b"")),
        (KEYS, (302, {"location": KEYS}, b"")),
        (DISCOVERY, (200, {}, b'{"issuer":"http://127.0.0.1:1","jwks_uri":"http://127.0.0.1:1"}')),
        (DISCOVERY, (200, {}, b"[]")),
        (DISCOVERY, (404, {}, b"")),
    ],
    ids=["500", "no set", "symmetric", "too large", "off this machine", "a file", "a circle",
         "another issuer", "no document", "no discovery"],
)  # fmt: skip
async def test_what_an_issuer_may_not_say(
    quick: Callable[..., Server], database_url: str, path: str, answer: Any
) -> None:
    """An answer that is none gives no keys, and one line that says why."""
    with IssuerServer(RSA) as issuer:
        issuer.more[path] = answer
        server = quick("/livez", **discovering(database_url, issuer.url))

        def complains() -> bool:
            return any(
                "cannot get the keys of the issuer" in line["message"]
                for line in logged(server, "orders.auth")
            )

        await eventually(complains)
        async with client_of(server) as client:
            token = by_token(RSA.token(claims={"iss": issuer.url}))
            assert 503 == await status(client, token)
            del issuer.more[path]

            async def known() -> bool:
                return await status(client, token) == 200

            await eventually(known)


async def test_metrics_can_be_closed(
    serve: Callable[..., Server], environ: dict[str, str]
) -> None:
    """METRICS_AUTH asks for metrics:read, of a key also as Bearer; probes stay open."""
    server = serve(**environ, METRICS_AUTH="true")
    async with httpx.AsyncClient(base_url=server.metrics_url) as client:
        statuses = {
            name: (await client.get("/metrics", headers=headers)).status_code
            for name, headers in {
                "none": {},
                "key": {"x-api-key": SCRAPER},
                "key as bearer": by_token(SCRAPER),
                "key without the scope": by_token(SHOP),
                "unknown": by_token("orders_x"),
                "token": by_token(RSA.token(claims={"scope": "metrics:read"})),
                "both": {"x-api-key": SCRAPER, **by_token(SCRAPER)},
            }.items()
        }
        probes = {p: (await client.get(p)).status_code for p in ("/livez", "/readyz", "/startupz")}
        others = [(await client.get("/x")).status_code, (await client.options("*")).status_code]
    async with client_of(server) as api:
        on_the_api = await status(api, by_token(SHOP))

    assert {
        "none": 401, "key": 200, "key as bearer": 200, "key without the scope": 403,
        "unknown": 401, "token": 200, "both": 401,
    } == statuses  # fmt: skip
    assert {200} == set(probes.values())
    assert [401, 401] == others
    assert 401 == on_the_api


async def test_metrics_have_keys_of_their_own(
    quick: Callable[..., Server], files: Path, environ: dict[str, str]
) -> None:
    """They open nothing else, are read again, and the API beside them may be open or closed."""
    path = files / "metrics-keys"
    own, api = files / "keys", {name: it for name, it in environ.items() if "AUTH" in name}
    database = {"DATABASE_URL": environ["DATABASE_URL"]}
    path.write_text(LINES[2])
    own.write_text("\n".join(LINES[:2]))
    for more, on_the_api in ((api, [401, 401]), ({}, [200, 200])):
        server = quick(**database, **more, METRICS_AUTH="true", METRICS_API_KEYS_FILE=str(path))
        scraper = {"x-api-key": SCRAPER}
        async with httpx.AsyncClient(base_url=server.metrics_url) as client:
            refused = await client.get("/metrics")
            taken = [
                await status(client, headers, "/metrics")
                for headers in (scraper, by_token(SCRAPER), {"authorization": f"Basic {SCRAPER}"})
            ]
            probe = (await client.get("/readyz")).status_code
            async with client_of(server) as opened:
                others = [await status(opened, scraper), await status(opened, by_token(SCRAPER))]

            path.write_text(LINES[0])

            async def revoked(client: httpx.AsyncClient = client) -> bool:
                return await status(client, by_token(SCRAPER), "/metrics") == 401

            await eventually(revoked)
            path.write_text(LINES[2])

        assert 401 == refused.status_code
        assert (
            'Bearer realm="orders", ApiKey realm="orders"' == refused.headers["www-authenticate"]
        )
        assert [200, 200, 401] == taken
        assert 200 == probe
        assert on_the_api == others


@pytest.mark.parametrize("closed", [False, True])
async def test_the_documentation_can_be_left_out(
    serve: Callable[..., Server],
    environ: dict[str, str],
    closed: bool,  # noqa: FBT001  a parameter of the test
) -> None:
    """DOCS_ENABLED=false removes page, files and document, whether or not authentication is on."""
    chosen = environ if closed else {"DATABASE_URL": environ["DATABASE_URL"]}
    server = serve(**chosen, DOCS_ENABLED="false")
    paths = ("/", "/docs", "/docs/docs.js", "/openapi.json", "/schema/openapi.json",
             "/.well-known/openapi.json", "/.well-known/swagger")  # fmt: skip
    async with client_of(server) as client:
        plain = [await status(client, {}, path) for path in paths]
        known = [await status(client, BY_KEY, path) for path in paths]

    assert [401 if closed else 404] * len(paths) == plain
    assert [404] * len(paths) == known


HALF: Final[dict[str, tuple[dict[str, str], str]]] = {
    "an audience alone": (
        {"AUTH_AUDIENCE": "x"},
        "AUTH_AUDIENCE is 'x'; allowed: only together with AUTH_ISSUER",
    ),
    "an issuer alone": (
        {"AUTH_ISSUER": ISSUER},
        f"AUTH_ISSUER is '{ISSUER}'; allowed: only together with AUTH_AUDIENCE",
    ),
    **{
        f"{name} alone": ({name: "x"}, f"{name} is 'x'; allowed: only together with AUTH_ISSUER")
        for name in ("AUTH_JWKS_FILE", "AUTH_SUBJECTS_FILE", "AUTH_SCOPES_CLAIM")
    },
    "metrics alone": ({"METRICS_AUTH": "true"}, "METRICS_AUTH is 'true'; allowed: only together"),
    "keys of metrics that are open": (
        {"METRICS_API_KEYS_FILE": "x"},
        "METRICS_API_KEYS_FILE is 'x'; allowed: only together with METRICS_AUTH=true",
    ),
    "no file of metrics' keys": (
        {"METRICS_AUTH": "true", "METRICS_API_KEYS_FILE": "/nothing"},
        "METRICS_API_KEYS_FILE is '/nothing'; allowed:",
    ),
    "an issuer without keys": (
        {"AUTH_ISSUER": "kubernetes", "AUTH_AUDIENCE": "x"},
        "AUTH_ISSUER is 'kubernetes'; allowed: an https URL, unless",
    ),
    "an issuer over http": (
        {"AUTH_ISSUER": "http://issuer.example", "AUTH_AUDIENCE": "x"},
        "AUTH_ISSUER is 'http://issuer.example'; allowed: an https URL",
    ),
    "keys over http": (
        {"AUTH_ISSUER": ISSUER, "AUTH_AUDIENCE": "x", "AUTH_JWKS_URL": "http://issuer.example/k"},
        "AUTH_JWKS_URL is 'http://issuer.example/k'; allowed: an https URL",
    ),
    "no file": ({"AUTH_API_KEYS_FILE": "/nothing"}, "AUTH_API_KEYS_FILE is '/nothing'; allowed:"),
    "a folder": ({"AUTH_API_KEYS_FILE": "/"}, "AUTH_API_KEYS_FILE is '/'; allowed:"),
    "a wrong file": ({"AUTH_API_KEYS_FILE": "{wrong}"}, "line 1"),
    "a file that is not UTF-8": ({"AUTH_API_KEYS_FILE": "{latin}"}, "UTF-8"),
    "wrong issuers": ({"AUTH_ISSUERS_FILE": "{wrong}"}, "AUTH_ISSUERS_FILE"),
    "an issuer twice": (
        {"AUTH_ISSUER": ISSUER, "AUTH_AUDIENCE": "x", "AUTH_JWKS_FILE": "{jwks}",
         "AUTH_ISSUERS_FILE": "{issuers}"},
        "it repeats the issuer of AUTH_ISSUER",
    ),
    "no file of an issuer's keys": ({"AUTH_ISSUERS_FILE": "{fileless}"}, "jwksFile of other"),
    "a symmetric key": (
        {"AUTH_ISSUER": ISSUER, "AUTH_AUDIENCE": "x", "AUTH_JWKS_FILE": "{symmetric}"},
        "keys[0] is a symmetric key",
    ),
}  # fmt: skip


@pytest.mark.parametrize("half", HALF)
def test_half_a_setting_is_an_error(serve: Callable[..., Server], files: Path, half: str) -> None:
    """The service ends with status 2 and one line that names the variable."""
    for name, text in {
        "wrong": "shop", "symmetric": '{"keys":[{"kty":"oct","k":"c2VjcmV0"}]}',
        "issuers": json.dumps([{"issuer": ISSUER, "audience": "x"}]),
        "fileless": json.dumps([{"issuer": "other", "audience": "x", "jwksFile": "/nothing"}]),
    }.items():  # fmt: skip
        (files / name).write_text(text)
    (files / "latin").write_bytes(b"\xe9")
    given, told = HALF[half]
    environ = {
        name: str(files / value[1:-1]) if value.startswith("{") else value
        for name, value in given.items()
    }
    server = serve(
        wait_for=None, status=2, DATABASE_URL="postgresql://nobody@127.0.0.1:1/nothing", **environ
    )
    server.process.wait(15)

    [line] = server.output().splitlines()
    assert line.startswith("orders: ")
    assert told in line
