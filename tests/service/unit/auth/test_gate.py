"""The gate: what it remembers, what it forgets, and what it costs the loop."""

import time
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

from orders.auth import allowance, api_keys, keys
from orders.auth import gate as gates
from orders.auth.caller import API_KEY, BEARER, READ, WRITE
from orders.auth.gate import Gate
from orders.auth.issuer import Issuer, Trust
from orders.auth.token import LEEWAY
from orders.errors import AuthenticationUnavailable, InsufficientScope, Problem, Unauthorized
from tests.helpers.tokens import AUDIENCE, HOUR, ISSUER, SUBJECT, jwks, signer

RSA = signer("RS256", "rsa")


@pytest.fixture
def outcomes() -> Counter[str]:
    """Count outcomes."""
    return Counter()


@pytest.fixture
def gate(outcomes: Counter[str]) -> Gate:
    """Trust one issuer, with one key."""
    found = Gate((BEARER, API_KEY), lambda outcome: outcomes.update([outcome]))
    issuer = Issuer(Trust(issuer=ISSUER, audience=AUDIENCE))
    issuer.keys = keys.read(jwks(RSA).encode(), strict=True)
    found.issuers[ISSUER] = issuer
    return found


def bearer(token: str) -> dict[str, str]:
    """Return the header of a request with a token."""
    return {"authorization": f"Bearer {token}"}


def made(number: int, **claims: Any) -> str:
    """Return one of many good tokens."""
    return RSA.token(claims={"jti": str(number), **claims})


def outcome(gate: Gate, headers: dict[str, str], outcomes: Counter[str]) -> str:
    """Return what a gate says of a request that it does not let in."""
    outcomes.clear()
    with pytest.raises(Problem):
        gate.caller(headers)
    [found] = outcomes
    return found


def test_of_scopes_only_those_of_the_api_are_remembered(gate: Gate) -> None:
    """However many an issuer puts into its tokens, all callers with the same ones share them."""
    others = " ".join(f"scope-{number}" for number in range(200))
    callers = [gate.caller(bearer(made(n, scope=f"{others} {n} {READ}"))) for n in range(2)]

    assert {READ} == callers[0].scopes
    assert callers[0].scopes is callers[1].scopes


def test_a_verified_token_is_known_by_a_look(gate: Gate) -> None:
    """The second request with a token needs no issuer and no key any more, until it expires."""
    headers = bearer(RSA.token())
    assert gate.known(headers) is None

    caller = gate.caller(headers)

    assert caller is gate.known(headers)
    assert 1 == gate.remembered


def test_a_token_is_known_until_it_expires(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """At its expiry, with the leeway, it is refused though it was remembered."""
    now = time.time()
    headers = bearer(made(1, exp=int(now) + HOUR))
    gate.caller(headers)
    for module in ("orders.auth.gate.time", "orders.auth.token.time"):
        monkeypatch.setattr(module, lambda: now + HOUR + LEEWAY + 1)

    assert gate.known(headers) is None
    with pytest.raises(Unauthorized, match="expired"):
        gate.caller(headers)


def test_a_token_is_forgotten_with_its_key(gate: Gate) -> None:
    """When its key goes, a token is refused; one whose key stays is still known."""
    second = signer("ES256", "second")
    gate.issuers[ISSUER].keys = keys.read(jwks(RSA, second).encode(), strict=True)
    old, new = bearer(RSA.token()), bearer(second.token())
    gate.caller(old)
    gate.caller(new)

    gate.issuers[ISSUER].keys = keys.read(jwks(second).encode(), strict=True)
    gate.review()

    assert gate.known(old) is None
    assert gate.known(new) is not None
    with pytest.raises(Unauthorized, match="names a key that is not known"):
        gate.caller(old)


def test_another_key_of_the_same_name_is_another_key(gate: Gate) -> None:
    """A token does not stay valid because a key that took the name of its own is there."""
    headers = bearer(RSA.token())
    gate.caller(headers)

    gate.issuers[ISSUER].keys = keys.read(
        jwks(signer("RS256", "rsa", number=1)).encode(), strict=True
    )
    gate.review()

    with pytest.raises(Unauthorized, match="signature is wrong"):
        gate.caller(headers)


def test_a_key_under_another_name_is_another_key(gate: Gate) -> None:
    """A token names its key, so it is refused when that name goes, remembered or not."""
    headers = bearer(RSA.token())
    gate.caller(headers)

    gate.issuers[ISSUER].keys = keys.read(jwks(signer("RS256", "renamed")).encode(), strict=True)
    gate.review()

    with pytest.raises(Unauthorized, match="names a key that is not known"):
        gate.caller(headers)


def test_a_token_is_forgotten_with_its_issuer(gate: Gate) -> None:
    """When its issuer goes, or is for another audience, a token is refused."""
    headers = bearer(RSA.token())
    gate.caller(headers)
    gone = gate.issuers.pop(ISSUER)
    gate.review()

    with pytest.raises(Unauthorized, match="issuer of the token is not known"):
        gate.caller(headers)

    other = Issuer(Trust(issuer=ISSUER, audience="other"))
    other.keys = gone.keys
    gate.issuers[ISSUER] = other
    with pytest.raises(Unauthorized, match="another audience"):
        gate.caller(headers)


def test_a_subjects_scopes_go_with_its_line(gate: Gate) -> None:
    """A remembered token has the scopes that its subject's line says now."""
    headers = bearer(RSA.token(claims={"scope": None}))
    issuer = gate.issuers[ISSUER]
    issuer.subjects = {SUBJECT: frozenset((READ, WRITE))}
    assert {READ, WRITE} == gate.caller(headers).scopes

    issuer.subjects = {SUBJECT: frozenset((READ,))}
    gate.review()
    narrowed = gate.known(headers)
    issuer.subjects = {}
    gate.review()
    without = gate.known(headers)

    assert narrowed is not None
    assert {READ} == narrowed.scopes
    assert without is not None
    assert set() == without.scopes


def test_memory_is_bounded(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of valid and of invalid tokens so many are remembered, and the oldest goes first."""
    monkeypatch.setattr(gates, "REMEMBERED", 5)
    for number in range(12):
        gate.caller(bearer(made(number)))
        with pytest.raises(Unauthorized):
            gate.caller(
                bearer(signer("RS256", "rsa", number=1).token(claims={"jti": str(number)}))
            )

    assert 10 == gate.remembered
    assert gate.known(bearer(made(0))) is None


def test_scopes_of_others_are_not_remembered(gate: Gate) -> None:
    """A token that names thousands of them costs no more memory than any other."""
    many = " ".join(f"{number:x}" for number in range(1200))
    headers = bearer(made(1, scope=f"{many} {READ}"))

    assert {READ} == gate.caller(headers).scopes

    [valid] = gate._valid.values()
    assert frozenset((READ,)) == valid.scopes
    gate.review()
    known = gate.known(headers)
    assert known is not None
    assert {READ} == known.scopes


@pytest.fixture
def spent(gate: Gate, monkeypatch: pytest.MonkeyPatch) -> Iterator[Gate]:
    """Have no time left for signatures, in a second that does not end."""
    now = time.perf_counter()
    monkeypatch.setattr(allowance, "perf_counter", lambda: now)
    gate._allowance = allowance.Allowance()
    gate._allowance._left = 0.0
    return gate  # type: ignore[return-value]


def test_checking_signatures_has_a_share_of_the_loop(spent: Gate, outcomes: Counter[str]) -> None:
    """Beyond it a new token is 503, while what is refused without a signature is 401 as ever."""
    with pytest.raises(AuthenticationUnavailable):
        spent.caller(bearer(RSA.token()))

    stranger = signer("RS256", "nobody")
    now = int(time.time())
    assert "expired" == outcome(spent, bearer(made(1, exp=now - HOUR)), outcomes)
    assert "wrong-audience" == outcome(spent, bearer(made(2, aud="other")), outcomes)
    assert "unknown-key" == outcome(spent, bearer(stranger.token()), outcomes)
    assert "malformed" == outcome(spent, bearer("a.b.c"), outcomes)


def test_what_was_seen_before_costs_no_signature(
    gate: Gate, outcomes: Counter[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A token that was refused for its signature is refused again without a look at it."""
    wrong = bearer(signer("RS256", "rsa", number=1).token())
    good = bearer(RSA.token())
    assert "wrong-signature" == outcome(gate, wrong, outcomes)
    caller = gate.caller(good)
    now = time.perf_counter()
    monkeypatch.setattr(allowance, "perf_counter", lambda: now)
    gate._allowance._left = 0.0

    assert "wrong-signature" == outcome(gate, wrong, outcomes)
    assert caller == gate.caller(good)


def test_the_share_fills_up_with_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of the time that passes may be spent, and of a long time what a second gives."""
    clock = {"now": 100.0, "used": 0.0}
    monkeypatch.setattr(allowance, "perf_counter", lambda: clock["now"])
    monkeypatch.setattr(allowance, "thread_time", lambda: clock["used"])
    share = allowance.Allowance()

    def spend(seconds: float) -> bool:
        if not share.begin():
            return False
        clock["used"] += seconds
        share.end()
        return True

    clock["now"] += 1000
    taken = sum(spend(0.01) for _ in range(100))
    clock["now"] += 1.0
    later = sum(spend(0.01) for _ in range(100))

    assert 10 <= taken <= 11
    assert 9 <= later <= 11


def test_without_keys_it_cannot_be_told(gate: Gate, outcomes: Counter[str]) -> None:
    """Until an issuer has keys its tokens are 503, but what is wrong without them is 401."""
    gate.issuers[ISSUER].keys = None

    assert "no-keys" == outcome(gate, bearer(RSA.token()), outcomes)
    assert "wrong-audience" == outcome(gate, bearer(made(1, aud="other")), outcomes)


@pytest.mark.parametrize(
    ("token", "told"),
    [
        (signer("RS256", "new").token(), "unknown-key"),
        (signer("RS256", "rsa", number=1).token(), "wrong-signature"),
        (signer("RS256", None, number=1).token(), "wrong-signature"),
    ],
    ids=["another name", "a name that is kept", "no name"],
)
def test_a_key_that_is_not_known_asks_for_the_keys(
    gate: Gate, outcomes: Counter[str], token: str, told: str
) -> None:
    """A token of a key that is not known, by name or by itself, has keys fetched each time."""
    asked: list[Issuer] = []
    gate.on_stale_keys = asked.append

    assert told == outcome(gate, bearer(token), outcomes)
    assert told == outcome(gate, bearer(token), outcomes)
    assert [gate.issuers[ISSUER]] * 2 == asked


@pytest.mark.parametrize(
    ("headers", "told"),
    [
        ({}, "missing"),
        ({"authorization": "Basic dXNlcjpwYXNz"}, "malformed"),
        ({"authorization": "Bearer"}, "malformed"),
        ({"authorization": "Bearer "}, "malformed"),
        ({"authorization": "Bearer a, Bearer b"}, "malformed"),
        ({"authorization": ""}, "malformed"),
        ({"x-api-key": "orders_nobody"}, "unknown-api-key"),
        ({"x-api-key": ""}, "unknown-api-key"),
        ({"x-api-key": "a", "authorization": "Bearer b"}, "several"),
        ({"x-api-key": "a", "authorization": "Basic b"}, "several"),
        ({"cookie": "authorization=Bearer x"}, "missing"),
    ],
)
def test_what_is_no_credential(
    gate: Gate, outcomes: Counter[str], headers: dict[str, str], told: str
) -> None:
    """None, one that is malformed or unknown, and two are refused, each by its own name."""
    assert told == outcome(gate, headers, outcomes)


def test_two_good_credentials_are_none(gate: Gate, outcomes: Counter[str]) -> None:
    """A good token beside a good key is refused, also when both are known."""
    key = api_keys.new_key()
    gate.api_keys = api_keys.read(api_keys.line("shop", key, [READ]))
    token = bearer(RSA.token())
    gate.caller(token)

    assert "shop" == gate.caller({"x-api-key": key}).name
    assert "several" == outcome(gate, {**token, "x-api-key": key}, outcomes)


def test_the_scheme_is_told_apart_by_no_case(gate: Gate) -> None:
    """`bearer` is `Bearer`, and one space or more follows it (RFC 9110, 11.1)."""
    token = RSA.token()

    assert SUBJECT == gate.caller({"authorization": f"bearer  {token}"}).name
    assert SUBJECT == gate.caller({"authorization": f"BEARER {token}"}).name
    assert 1 == gate.remembered


def test_a_scope_that_is_lacking_is_named(gate: Gate) -> None:
    """403 names the scope, in the detail and in the challenge (RFC 6750, 3.1)."""
    caller = gate.caller(bearer(RSA.token(claims={"scope": "orders:read"})))
    gate.check(caller, READ)

    with pytest.raises(InsufficientScope, match="orders:write") as lacking:
        gate.check(caller, WRITE)

    assert (
        (
            "www-authenticate",
            'Bearer realm="orders", error="insufficient_scope", scope="orders:write"',
        ),
    ) == lacking.value.headers


def test_challenges_name_what_is_taken(gate: Gate) -> None:
    """A request without a credential is told the schemes, and no error (RFC 6750, 3.1)."""
    with pytest.raises(Unauthorized) as missing:
        gate.caller({})
    with pytest.raises(Unauthorized) as expired:
        gate.caller(bearer(made(1, exp=5)))

    assert (("www-authenticate", 'Bearer realm="orders", ApiKey realm="orders"'),) == (
        missing.value.headers
    )
    assert 'error="invalid_token", error_description="the token has expired"' in str(
        expired.value.headers
    )
