"""The gate: finds a request's caller from its headers, or the reason to refuse it.

A verified token is remembered by its digest, so that the next request with it costs a hash and a
look-up in a dictionary. Nothing that a caller sends makes the memory grow without bound, and no
token is kept.
"""

import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from hashlib import sha256
from time import time
from typing import TYPE_CHECKING, Final, TypeVar

from msgspec import Struct

from orders.auth import api_keys
from orders.auth.allowance import Allowance
from orders.auth.caller import API_KEY, BEARER, SCOPES, Caller
from orders.auth.outcomes import (
    BUSY,
    DETAILS,
    INSUFFICIENT_SCOPE,
    MALFORMED,
    MISSING,
    NO_KEYS,
    SEVERAL,
    UNKNOWN_API_KEY,
    UNKNOWN_ISSUER,
    UNKNOWN_KEY,
    WRONG_SIGNATURE,
    Refused,
)
from orders.auth.token import LEEWAY, granted, read
from orders.errors import AuthenticationUnavailable, InsufficientScope, Problem, Unauthorized

if TYPE_CHECKING:
    from orders.auth.issuer import Issuer, Trust

T = TypeVar("T")

REMEMBERED: Final = 10_000
"""The most tokens remembered as valid, and the most remembered as invalid."""

_BEARER: Final = re.compile(r"bearer +([A-Za-z0-9._~+/-]+=*)", re.IGNORECASE).fullmatch
_PREFIX: Final = "Bearer "
_PREFIX_LENGTH: Final = len(_PREFIX)
_REALM: Final = 'realm="orders"'
_KNOWN: Final = frozenset(SCOPES)
_LATER: Final = frozenset((NO_KEYS, BUSY))
"""Outcomes that may soon change."""
_STALE: Final = frozenset((UNKNOWN_KEY, WRONG_SIGNATURE))
"""Outcomes that an issuer's new keys would change: it may have changed one and kept its name."""


class _Valid(Struct, frozen=True, gc=False):
    """A verified token: its caller, its expiry, and what its validity depends on."""

    caller: Caller
    until: float
    trust: "Trust"
    key: bytes
    scopes: frozenset[str] | None


class _Invalid(Struct, frozen=True, gc=False):
    """A token that an issuer's keys did not verify."""

    outcome: str
    issuer: str


class Gate:
    """Checks credentials, in the loop's thread except for `known`."""

    def __init__(self, schemes: tuple[str, ...], count: Callable[[str], None]) -> None:
        """Start without keys, issuers and subjects.

        Args:
            schemes: those of `caller.py` that are taken.
            count: told the outcome of each credential.

        """
        self.issuers: dict[str, Issuer] = {}
        self.api_keys: Mapping[bytes, Caller] = {}
        self.on_stale_keys: Callable[[Issuer], None] = lambda _: None
        self.count = count
        self.schemes = schemes
        self._valid: dict[bytes, _Valid] = {}
        self._invalid: dict[bytes, _Invalid] = {}
        self._allowance = Allowance()

    def known(self, headers: Mapping[str, str]) -> Caller | None:
        """Return the caller if it can be looked up; callable from any thread."""
        authorization = headers.get("authorization")
        if authorization is None:
            key = headers.get("x-api-key")
            return None if key is None else self.api_keys.get(api_keys.digest(key))
        if authorization[:_PREFIX_LENGTH] != _PREFIX or "x-api-key" in headers:
            return None
        token = sha256(authorization[_PREFIX_LENGTH:].encode()).digest()
        valid = self._valid.get(token)
        return None if valid is None or valid.until <= time() else valid.caller

    def caller(self, headers: Mapping[str, str]) -> Caller:
        """Return who calls.

        Args:
            headers: of the request; names are in lower case, repeated fields are joined.

        Raises:
            Unauthorized: there is no credential, or it is not valid.
            AuthenticationUnavailable: it cannot be told now.

        """
        try:
            return self.judge(headers)
        except Refused as refused:
            raise self.refusal(refused.outcome, self.schemes) from None

    def judge(self, headers: Mapping[str, str]) -> Caller:
        """Return who calls, with what came of the credential instead of an answer.

        Raises:
            Refused: there is no credential, it is not valid, or it cannot be told now.

        """
        known = self.known(headers)
        if known is not None:
            return known
        authorization = headers.get("authorization")
        if "x-api-key" in headers:  # one that is known was found already
            raise Refused(UNKNOWN_API_KEY if authorization is None else SEVERAL)
        if authorization is None:
            raise Refused(MISSING)
        return self._bearer(bearer(authorization))

    def check(self, caller: Caller, scope: str) -> None:
        """Check that a caller has a scope.

        Raises:
            InsufficientScope: this one has not.

        """
        if scope not in caller.scopes:
            self.count(INSUFFICIENT_SCOPE)
            scheme = caller.scheme or self.schemes[0]
            challenge = f'{scheme} {_REALM}, error="insufficient_scope", scope="{scope}"'
            raise InsufficientScope.of(scope, ("www-authenticate", challenge))

    def refusal(self, outcome: str, schemes: tuple[str, ...]) -> Problem:
        """Return the answer to a request whose credential came to this, and count it.

        Args:
            outcome: what came of it.
            schemes: those of the credentials that the caller may try instead.

        """
        self.count(outcome)
        detail = DETAILS[outcome]
        if outcome in _LATER:
            return AuthenticationUnavailable(detail)
        error = ""
        if outcome == SEVERAL:
            error = f', error="invalid_request", error_description="{detail}"'
        elif outcome not in {MISSING, UNKNOWN_API_KEY}:
            error = f', error="invalid_token", error_description="{detail}"'
        challenges = [f"{scheme} {_REALM}" for scheme in schemes]
        if BEARER in schemes:
            challenges[schemes.index(BEARER)] += error
        return Unauthorized(detail, headers=(("www-authenticate", ", ".join(challenges)),))

    def review(self) -> None:
        """Forget tokens that depended on keys, issuers or subjects which have changed."""
        self._invalid = {}
        kept = {}
        for digest, valid in self._valid.items():
            issuer = self.issuers.get(valid.trust.issuer)
            if issuer is None or issuer.trust != valid.trust or issuer.keys is None:
                continue
            if valid.key in issuer.keys.identities:
                caller = issuer.caller(valid.caller.name, valid.scopes)
                kept[digest] = _Valid(caller, valid.until, valid.trust, valid.key, valid.scopes)
        self._valid = kept

    @property
    def remembered(self) -> int:
        """Tokens that are remembered, valid or not."""
        return len(self._valid) + len(self._invalid)

    def _bearer(self, text: str) -> Caller:
        digest = sha256(text.encode()).digest()
        invalid = self._invalid.get(digest)
        if invalid is not None:
            self._doubt(invalid.issuer, invalid.outcome)
            raise Refused(invalid.outcome)
        token = read(text)
        issuer = self.issuers.get(token.issuer)
        if issuer is None:
            raise Refused(UNKNOWN_ISSUER)
        try:
            key = issuer.key_of(token)
        except Refused as refused:
            self._doubt(token.issuer, refused.outcome)
            raise
        valid = self._valid.get(digest)  # as the scheme's case may differ
        if valid is not None:
            return valid.caller
        if not self._allowance.begin():
            raise Refused(BUSY)
        trust = issuer.trust
        try:
            issuer.verify(token, key)
        except Refused as refused:
            _put(self._invalid, digest, _Invalid(refused.outcome, trust.issuer))
            self._doubt(token.issuer, refused.outcome)
            raise
        finally:
            self._allowance.end()
        named = granted(token.claims, trust.scopes_claim)
        # Those of other services are of no use, and there may be thousands of them.
        scopes = None if named is None else _one(named & _KNOWN)
        caller = issuer.caller(token.subject, scopes)
        valid = _Valid(caller, token.exp + LEEWAY, trust, key.identity, scopes)
        _put(self._valid, digest, valid)
        return caller

    def _doubt(self, name: str, outcome: str) -> None:
        """Ask for an issuer's keys again if a token's outcome suggests that they are stale."""
        issuer = self.issuers.get(name)
        if issuer is not None and outcome in _STALE:
            self.on_stale_keys(issuer)


def bearer(authorization: str) -> str:
    """Return the token of an `Authorization` header of the scheme Bearer (RFC 6750, 2.1).

    Raises:
        Refused: it is of another scheme, or malformed.

    """
    match = _BEARER(authorization)
    if match is None:
        raise Refused(MALFORMED)
    return match[1]


def schemes(*, bearer: bool, keys: bool) -> tuple[str, ...]:
    """Return the schemes that are taken."""
    return (*((BEARER,) if bearer else ()), *((API_KEY,) if keys else ()))


@lru_cache
def _one(scopes: frozenset[str]) -> frozenset[str]:
    """Return one object for all that are equal, because thousands of tokens are remembered."""
    return scopes


def _put(remembered: dict[bytes, T], digest: bytes, what: T) -> None:
    """Remember something, in place of the oldest if there is too much."""
    remembered.pop(digest, None)
    while len(remembered) >= REMEMBERED:
        del remembered[next(iter(remembered))]
    remembered[digest] = what
