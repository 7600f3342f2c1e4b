"""Tokens that attackers make, and those that are good."""

import json
import time
from collections import Counter
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.auth import keys
from orders.auth.caller import BEARER, READ, WRITE
from orders.auth.gate import Gate
from orders.auth.issuer import Issuer, Trust
from orders.auth.outcomes import OUTCOMES
from orders.errors import Problem, Unauthorized
from tests.helpers.attack_tokens import STRANGER, TRUSTED, attacks
from tests.helpers.tokens import AUDIENCE, ISSUER, SUBJECT, encoded, good_claims, jwks, signer


def opened(**more: Any) -> tuple[Gate, Counter[str]]:
    """Return a gate that trusts an issuer, and what it counts."""
    outcomes: Counter[str] = Counter()
    gate = Gate((BEARER,), lambda outcome: outcomes.update([outcome]))
    issuer = Issuer(Trust(issuer=ISSUER, audience=AUDIENCE, **more))
    issuer.keys = keys.read(jwks(*TRUSTED).encode(), strict=True)
    gate.issuers[ISSUER] = issuer
    return gate, outcomes


def bearer(token: str) -> dict[str, str]:
    """Return the header of a request with a token."""
    return {"authorization": f"Bearer {token}"}


def test_no_attack_is_let_in() -> None:
    """None of the corpus is accepted, by whatever of it; each is refused, and as 401."""
    gate, outcomes = opened()
    accepted = []
    for what, token in attacks():
        with suppress(Unauthorized):
            accepted.append((what, gate.caller(bearer(token))))

    assert [] == accepted
    assert set(outcomes) <= set(OUTCOMES)
    assert outcomes.total() > 200


def test_none_of_them_is_let_in_the_second_time() -> None:
    """What was refused is refused when it comes again, and leaves the memory bounded."""
    gate, _ = opened()
    corpus = [token for _, token in attacks()]
    for token in corpus * 2:
        with pytest.raises(Problem):
            gate.caller(bearer(token))

    assert gate.remembered <= len(corpus)


@pytest.mark.parametrize("trusted", TRUSTED, ids=lambda each: each.algorithm)
def test_a_good_token_is_taken(trusted: Any) -> None:
    """Each of the three algorithms is taken, and says who calls."""
    gate, _ = opened()

    caller = gate.caller(bearer(trusted.token()))

    assert (SUBJECT, f"{ISSUER} {SUBJECT}", BEARER) == (caller.name, caller.owner, caller.scheme)
    assert {READ, WRITE} == caller.scopes


@pytest.mark.parametrize("kind", [None, "JWT", "jwt", "at+jwt", "AT+JWT", "application/at+jwt"])
def test_types_of_access_tokens_are_taken(kind: str | None) -> None:
    """`typ` may be absent, JWT or at+jwt, as media types are compared."""
    gate, _ = opened()

    assert SUBJECT == gate.caller(bearer(TRUSTED[0].token({"typ": kind}))).name


def test_clocks_may_differ_by_a_minute() -> None:
    """60 s of leeway hold for exp, nbf and iat."""
    gate, _ = opened()
    now = int(time.time())

    for claims in ({"exp": now - 50}, {"nbf": now + 50}, {"iat": now + 50}):
        assert SUBJECT == gate.caller(bearer(TRUSTED[0].token(claims=claims))).name


def test_without_a_kid_the_only_key_of_the_algorithm_is_tried() -> None:
    """A token without `kid` is taken if there is one key for it, and refused if there are two."""
    gate, _ = opened()
    token = TRUSTED[0].token({"kid": None})

    assert SUBJECT == gate.caller(bearer(token)).name

    both = jwks(TRUSTED[0], signer("RS256", "other", number=2)).encode()
    gate.issuers[ISSUER].keys = keys.read(both, strict=True)
    gate.review()
    with pytest.raises(Unauthorized, match="key that is not known"):
        gate.caller(bearer(TRUSTED[0].token({"kid": None}, {"jti": "another"})))


@pytest.mark.parametrize(
    ("value", "scopes"),
    [
        ("orders:read orders:write", {READ, WRITE}),
        ("openid orders:read", {READ}),
        (["orders:read", "orders:write"], {READ, WRITE}),
        (["orders:read", 5, None], {READ}),
        (["orders:read orders:write"], set()),
        ("orders:read\u00a0orders:write", set()),
        ("orders:read\torders:write", set()),
        ("orders:read,orders:write", set()),
        ("ORDERS:READ", set()),
        ("orders\uff1aread", set()),
        ("оrders:read", set()),  # noqa: RUF001  a Cyrillic letter, on purpose
        ("orders:rea\u0064\u0301", set()),
        ("orders:*", set()),
        ("", set()),
        (5, set()),
        (True, set()),
        ({"orders:read": True}, set()),
        ([["orders:read"]], set()),
    ],
)
def test_scopes_are_words_or_a_list(value: Any, scopes: set[str]) -> None:
    """What is of another type, or only looks like a scope, grants nothing; the token is valid."""
    gate, _ = opened()

    assert scopes == gate.caller(bearer(TRUSTED[0].token(claims={"scope": value}))).scopes


def test_a_null_is_of_another_type() -> None:
    """A claim that is null is there, and grants nothing, not even what a file gives."""
    gate, _ = opened()
    gate.issuers[ISSUER].subjects = {SUBJECT: frozenset((READ,))}
    claims = json.dumps(good_claims()).replace('"orders:read orders:write"', "null")

    token = TRUSTED[0].sign('{"alg":"RS256","kid":"rsa"}', claims)

    assert frozenset() == gate.caller(bearer(token)).scopes


@pytest.mark.parametrize(
    ("named", "claims", "scopes"),
    [
        (None, {"scope": None, "scp": ["orders:read"]}, {READ}),
        (None, {"scope": "", "scp": ["orders:read"]}, set()),
        ("roles", {"roles": ["orders:write"]}, {WRITE}),
        ("roles", {"scope": "orders:read"}, {"metrics:read"}),
        (None, {"scope": None}, {"metrics:read"}),
    ],
)
def test_the_claim_can_be_named(
    named: str | None, claims: dict[str, Any], scopes: set[str]
) -> None:
    """It is `scope`, else `scp`, or the one that is named; without it a file gives scopes."""
    gate, _ = opened(scopes_claim=named)
    gate.issuers[ISSUER].subjects = {SUBJECT: frozenset(("metrics:read",))}

    assert scopes == gate.caller(bearer(TRUSTED[0].token(claims=claims))).scopes


PARTS = st.one_of(
    st.binary(max_size=60).map(encoded),
    st.text("ABCabc019-_=.+/ \u00e9", max_size=40),
    st.sampled_from(TRUSTED[0].token().split(".")),
    st.dictionaries(
        st.sampled_from(["alg", "kid", "typ", "crit", "iss", "aud", "sub", "exp", "jwk"]),
        st.sampled_from(["none", "RS256", "HS256", "rsa", ISSUER, AUDIENCE, 9e9, None, {}, []]),
    ).map(lambda found: encoded(json.dumps(found).encode())),
)


@given(st.lists(PARTS, max_size=5).map(".".join))
def test_whatever_is_made_up_is_refused(token: str) -> None:
    """No token that Hypothesis puts together is let in, and none breaks the gate."""
    gate, _ = opened()
    signed = {TRUSTED[0].token().rpartition(".")[0]}
    if token.rpartition(".")[0] in signed:
        return

    with pytest.raises(Problem):
        gate.caller(bearer(token))


def test_a_stranger_learns_nothing_of_the_keys() -> None:
    """What is told of a refusal names neither the issuers nor the keys that are trusted."""
    gate, _ = opened()
    with pytest.raises(Unauthorized) as refused:
        gate.caller(bearer(STRANGER.token(claims={"iss": "https://attacker.example"})))

    told = refused.value.detail + str(refused.value.headers)
    assert ISSUER not in told
    assert AUDIENCE not in told.replace('realm="orders"', "")
