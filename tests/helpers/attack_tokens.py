"""An attack corpus of bearer tokens (RFC 8725, OWASP): none of them may ever be accepted.

The service trusts the keys of `TRUSTED`; `STRANGER` is the attacker's.
"""

import json
import time
from collections.abc import Iterator
from typing import Any, Final

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from tests.helpers.tokens import (
    AUDIENCE,
    HOUR,
    ISSUER,
    encoded,
    good_claims,
    hmac_token,
    jwks,
    signer,
)

TRUSTED: Final = (signer("RS256", "rsa"), signer("ES256", "ec"), signer("EdDSA", "ed"))
STRANGER: Final = signer("RS256", "rsa", number=1)
_RSA, _EC, _ED = TRUSTED


def attacks() -> Iterator[tuple[str, str]]:
    """Return what each token tries, and the token."""
    yield from _algorithms()
    yield from _headers()
    yield from _times()
    yield from _claims()
    yield from _shapes()
    yield from _signatures()


def _algorithms() -> Iterator[tuple[str, str]]:
    claims = encoded(json.dumps(good_claims()).encode())
    for name in ("none", "None", "NONE", "nOnE"):
        header = encoded(json.dumps({"alg": name}).encode())
        yield f"alg {name}, no signature", f"{header}.{claims}."
        yield f"alg {name}, some signature", f"{header}.{claims}.AAAA"
    public = _RSA.private.public_key()
    for name, kind in (("SPKI", PublicFormat.SubjectPublicKeyInfo), ("PKCS1", PublicFormat.PKCS1)):
        pem = public.public_bytes(Encoding.PEM, kind)
        der = public.public_bytes(Encoding.DER, kind)
        for secret in (der, encoded(pem).encode()):
            yield f"HMAC with the public key, {name}", hmac_token(secret, {"kid": "rsa"})
    yield "HMAC with the JWK Set", hmac_token(jwks(*TRUSTED).encode(), {"kid": "rsa"})
    yield "HMAC with an empty key", hmac_token(b"\0", {"kid": "rsa"})
    for name in ("HS256", "RS384", "RS512", "PS256", "ES384", "ES256K", "RS256 ", "rs256", ""):
        yield f"alg {name!r}, signed RS256", _RSA.token({"alg": name})
    yield "alg left out", _RSA.token({"alg": None})
    yield "alg of another key", _RSA.token({"alg": "ES256", "kid": "ec"})
    yield "alg is a list", _RSA.token({"alg": ["RS256"]})
    yield "alg is a number", _RSA.token({"alg": 256})
    yield "the EC key's name, RSA signature", _RSA.token({"kid": "ec"})
    yield "the Ed25519 key's name, EC signature", _EC.token({"kid": "ed"})


def _headers() -> Iterator[tuple[str, str]]:
    own = STRANGER.jwk()
    yield "jwk embedded", STRANGER.token({"jwk": own})
    yield "jwk embedded, no kid", STRANGER.token({"jwk": own, "kid": None})
    yield "jku", STRANGER.token({"jku": "https://attacker.example/keys.json"})
    yield "x5u", STRANGER.token({"x5u": "https://attacker.example/cert.pem"})
    yield "x5c", STRANGER.token({"x5c": ["MIIB"]})
    for kid in (
        "../../../../dev/null", "/dev/null", "file:///proc/self/environ", "' OR '1'='1",
        "rsa\0", "rsa ", "RSA", "", "http://169.254.169.254/", "x" * 300, "rsa\n", "${jndi:ldap}",
    ):  # fmt: skip
        yield f"kid {kid[:40]!r}", STRANGER.token({"kid": kid})
        yield f"kid {kid[:40]!r}, trusted signature", _RSA.token({"kid": kid})
    for odd in (["rsa"], {"kid": "rsa"}, 1, True):
        yield f"kid {odd!r}", _RSA.token({"kid": odd})
    yield "kid null", _RSA.sign('{"alg":"RS256","kid":null}', json.dumps(good_claims()))
    yield "crit that nobody knows", _RSA.token({"crit": ["exp"], "exp": 1})
    yield "crit empty", _RSA.token({"crit": []})
    yield "crit b64", _RSA.token({"crit": ["b64"], "b64": False})
    yield "b64 without crit", _RSA.token({"b64": False})
    for kind in ("JOSE", "JWE", "id_token+jwt", "logout+jwt", "dpop+jwt", "secevent+jwt", "", 5):
        yield f"typ {kind!r}", _RSA.token({"typ": kind})
    yield (
        "alg twice",
        _RSA.sign('{"alg":"none","alg":"RS256","kid":"rsa"}', json.dumps(good_claims())),
    )


def _times() -> Iterator[tuple[str, str]]:
    now = int(time.time())
    yield "expired", _RSA.token(claims={"exp": now - HOUR})
    yield "expired just beyond the leeway", _RSA.token(claims={"exp": now - 62})
    yield "expired long ago", _RSA.token(claims={"exp": 0})
    yield "exp left out", _RSA.token(claims={"exp": None})
    yield "nbf to come", _RSA.token(claims={"nbf": now + HOUR})
    yield "iat to come", _RSA.token(claims={"iat": now + HOUR})
    for name in ("exp", "nbf", "iat"):
        for text in ('"tomorrow"', f'"{now + HOUR}"', "true", "null", "[]", "{}", "-1", "1e999",
                     "NaN", "Infinity", "1" + "0" * 400, "1" * 5000):  # fmt: skip
            claims = json.dumps(good_claims() | {name: "HERE"}).replace('"HERE"', text)
            yield f"{name} {text[:20]}", _RSA.sign('{"alg":"RS256","kid":"rsa"}', claims)


def _claims() -> Iterator[tuple[str, str]]:
    for name in ("iss", "aud", "sub"):
        yield f"{name} left out", _RSA.token(claims={name: None})
        odd: tuple[Any, ...] = ("", 5, True, {}, [], [5], [None], "x" * 300)
        for value in odd:
            yield f"{name} {str(value)[:20]!r}", _RSA.token(claims={name: value})
    for issuer in (
        ISSUER + "/", ISSUER.upper(), ISSUER + " ", "http://issuer.example",
        "https://attacker.example", [ISSUER], ISSUER + "\0",
    ):  # fmt: skip
        yield f"iss {issuer!r}", _RSA.token(claims={"iss": issuer})
    for audience in ("other", [], ["other"], "Orders", "orders ", {AUDIENCE: 1}, [[AUDIENCE]]):
        yield f"aud {audience!r}", _RSA.token(claims={"aud": audience})
    for subject in ("a\nb", "a\x1b[2Jb", "a\x7f", "\u202eadmin", "a\u2028b", "a\0b"):
        yield f"sub {subject!r}", _RSA.token(claims={"sub": subject})
    yield (
        "sub half a surrogate pair",
        _RSA.sign(
            '{"alg":"RS256","kid":"rsa"}', json.dumps(good_claims()).replace(":shop:", "\\ud800")
        ),
    )
    claims = json.dumps(good_claims())
    for name, value in (("sub", "admin"), ("aud", "other"), ("exp", 1), ("iss", "x")):
        twice = f'{{"{name}":{json.dumps(value)},{claims[1:]}'
        yield f"{name} twice", _RSA.sign('{"alg":"RS256","kid":"rsa"}', twice)
        yield (
            f"{name} twice, the second one escaped",
            _RSA.sign(
                '{"alg":"RS256","kid":"rsa"}',
                claims[:-1] + f',"\\u{ord(name[0]):04x}{name[1:]}":0}}',
            ),
        )


def _shapes() -> Iterator[tuple[str, str]]:
    good = _RSA.token()
    header, claims, signature = good.split(".")
    for text in (
        "", ".", "..", "a.b.c", header, f"{header}.{claims}", f"{header}.{claims}.",
        f"{good}.", f".{good}", f"{good}.{signature}", f"{good}==", f"{good} ", f"{good},{good}",
        f"{header}..{signature}", f".{claims}.{signature}", "é.é.é",
        f"{header}\n.{claims}.{signature}",
        json.dumps({"payload": claims, "protected": header, "signature": signature}),
    ):  # fmt: skip
        yield f"shape {text[:24]!r}", text
    yield "five parts, as JWE", f"{header}.AAAA.AAAA.{claims}.{signature}"
    yield "a token in a token", _RSA.sign('{"alg":"RS256","kid":"rsa","cty":"JWT"}', good)
    yield (
        "claims are a list",
        _RSA.sign('{"alg":"RS256","kid":"rsa"}', json.dumps([good_claims()])),
    )
    yield "claims are text", _RSA.sign('{"alg":"RS256","kid":"rsa"}', '"text"')
    yield "claims are not JSON", _RSA.sign('{"alg":"RS256","kid":"rsa"}', "{'sub':1}")
    yield "header is a list", _RSA.sign('["RS256"]', json.dumps(good_claims()))
    nested = "[" * 2000 + "]" * 2000
    yield (
        "nested deeply",
        _RSA.sign(
            '{"alg":"RS256","kid":"rsa"}', f'{{"x":{nested},{json.dumps(good_claims())[1:]}'
        ),
    )
    yield (
        "header nested deeply",
        _RSA.sign(f'{{"x":{nested},"alg":"RS256"}}', json.dumps(good_claims())),
    )
    yield "oversized", _RSA.token(claims={"padding": "x" * 9000})
    standard = good.replace("-", "+").replace("_", "/")
    if standard != good:
        yield "base64 of the other alphabet", standard
    utf16 = json.dumps(good_claims()).encode("utf-16").decode("latin-1")
    yield "claims in UTF-16", _RSA.sign('{"alg":"RS256","kid":"rsa"}', utf16)


def _signatures() -> Iterator[tuple[str, str]]:
    for trusted in TRUSTED:
        header, claims, signature = trusted.token().split(".")
        another = encoded(json.dumps(good_claims() | {"sub": "admin"}).encode())
        yield f"{trusted.algorithm}, other claims", f"{header}.{another}.{signature}"
        yield f"{trusted.algorithm}, signature cut", f"{header}.{claims}.{signature[:-4]}"
        yield f"{trusted.algorithm}, signature of zeros", f"{header}.{claims}.{encoded(bytes(64))}"
        yield (
            f"{trusted.algorithm}, signature doubled",
            f"{header}.{claims}.{signature}{signature}",
        )
        flipped = ("B" if signature[0] == "A" else "A") + signature[1:]
        yield f"{trusted.algorithm}, a bit flipped", f"{header}.{claims}.{flipped}"
    yield "a stranger's key under a trusted name", STRANGER.token()
    yield "a stranger's EC key", signer("ES256", "ec", number=1).token()
    yield "a stranger's Ed25519 key", signer("EdDSA", "ed", number=1).token()
    yield "another curve", signer("ES384", "ec").token({"alg": "ES384"})
    yield (
        "Psychic Signature: r and s are 0",
        _EC.token().rpartition(".")[0] + "." + encoded(bytes(64)),
    )
