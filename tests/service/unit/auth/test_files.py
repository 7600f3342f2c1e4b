"""The files that say who may call: what they may have, and what is said of what they may not."""

import errno
import json
import logging
import os
from pathlib import Path
from typing import Any

import pytest

from orders.auth import api_keys, grants, keys
from orders.auth.issuer import issuers
from orders.auth.watched_file import LARGEST, WatchedFile
from orders.config import ConfigError
from tests.helpers.tokens import AUDIENCE, ISSUER, SUBJECT, signer

KEY = f"orders_{'k3y' * 14}0"
"""It is the same in every process, as it stands in the names of the cases."""
LINE = api_keys.line("shop", KEY, ["orders:read", "orders:write"])


def test_a_key_has_256_random_bits() -> None:
    """No two are alike, and each has 43 characters of base64url after its prefix."""
    made = {api_keys.new_key() for _ in range(100)}

    assert 100 == len(made)
    assert {len("orders_") + 43} == {len(key) for key in made}


def test_the_line_does_not_have_the_key() -> None:
    """The file has a hash, by which the key is found."""
    assert KEY not in LINE
    [caller] = [api_keys.read(LINE)[api_keys.digest(KEY)]]
    assert ("shop", {"orders:read", "orders:write"}) == (caller.name, set(caller.scopes))


def test_keys_rotate_by_two_lines() -> None:
    """Two keys of one name are both valid, and are one subject."""
    another = api_keys.new_key()
    text = f"# the shop\n\n{LINE}\n{api_keys.line('shop', another, ['orders:read'])}\n"

    found = api_keys.read(text)

    assert 1 == len({caller.owner for caller in found.values()})
    assert [{"orders:read", "orders:write"}, {"orders:read"}] == [
        set(found[api_keys.digest(key)].scopes) for key in (KEY, another)
    ]


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (KEY, "line 1"),
        (f"shop {KEY} orders:read", "line 1 must have sha256:"),
        (f"\n# x\n{KEY} shop orders:read", "line 3"),
        (LINE.replace("sha256:", ""), "line 1 must have sha256:"),
        (LINE[:40] + " orders:read", "line 1 must have sha256:"),
        (LINE.upper(), "line 1"),
        (LINE + " orders:delete", "line 1 must end with scopes"),
        (" ".join(LINE.split()[:2]), "line 1 must end with scopes"),
        (LINE + "\n" + LINE, "line 2 repeats the key of an earlier line"),
        ("-shop" + LINE[4:], "line 1 must begin with a name"),
        ("a/b" + LINE[4:], "line 1 must begin with a name"),
    ],
)
def test_a_wrong_line_is_told_without_what_stands_there(text: str, told: str) -> None:
    """The line's number and the rule are told; a key in the wrong place is not repeated."""
    with pytest.raises(ValueError, match=told) as wrong:
        api_keys.read(text)

    assert KEY not in str(wrong.value)


def test_subjects_have_scopes() -> None:
    """A line is a subject and its scopes."""
    text = (
        "# who\nsystem:serviceaccount:shop:checkout orders:read orders:write\nreport orders:read\n"
    )

    assert {
        "system:serviceaccount:shop:checkout": {"orders:read", "orders:write"},
        "report": {"orders:read"},
    } == {name: set(scopes) for name, scopes in grants.subjects(text).items()}


@pytest.mark.parametrize(
    "text", ["me", "me read", "me orders:read\nme orders:write", "me orders:Read"]
)
def test_a_wrong_subject_is_told(text: str) -> None:
    """Without a scope, with an unknown one, or twice: the line is named."""
    with pytest.raises(ValueError, match=r"line \d"):
        grants.subjects(text)


GOOD: dict[str, Any] = {"issuer": ISSUER, "audience": AUDIENCE}


def test_further_issuers_have_subjects_of_their_own() -> None:
    """Each has the fields of the first one, and its own subjects."""
    text = json.dumps(
        [
            GOOD | {"subjects": {"me": ["orders:read"]}},
            {"issuer": "kubernetes", "audience": "x", "jwksFile": "/keys", "scopesClaim": "roles"},
        ]
    )

    first, second = issuers(text.encode())

    assert {"me": {"orders:read"}} == first.subjects
    assert ("kubernetes", "/keys", "roles") == (
        second.trust.issuer,
        second.trust.jwks_file,
        second.trust.scopes_claim,
    )


@pytest.mark.parametrize(
    ("document", "told"),
    [
        ({}, "a list"),
        ([[]], r"\[0\] must be an object"),
        ([GOOD, GOOD], r"\[1\].issuer repeats that of an earlier entry"),
        ([GOOD | {"jwks_url": "x"}], r"\[0\] must be an object; its fields: issuer"),
        ([{"issuer": ISSUER}], r"\[0\].audience is missing"),
        ([{"audience": "x"}], r"\[0\].issuer is missing"),
        ([GOOD | {"issuer": "kubernetes"}], r"\[0\].issuer is not an https URL"),
        ([GOOD | {"issuer": 5}], r"\[0\].issuer is not allowed"),
        ([GOOD | {"issuer": "a b"}], r"\[0\].issuer is not allowed"),
        ([GOOD | {"jwksURL": "http://issuer.example/keys"}], r"\[0\].jwksURL is not allowed"),
        ([GOOD | {"jwksURL": "file:///etc/passwd"}], r"\[0\].jwksURL is not allowed"),
        ([GOOD | {"subjects": ["me"]}], r"\[0\].subjects must be"),
        ([GOOD | {"subjects": {"me": "orders:read"}}], r"\[0\].subjects\['me'\] must be a list"),
        ([GOOD | {"subjects": {"me": ["read"]}}], r"\[0\].subjects\['me'\] must end with scopes"),
    ],
)
def test_a_wrong_issuer_is_told(document: Any, told: str) -> None:
    """The place and the rule are told."""
    with pytest.raises(ValueError, match=told):
        issuers(json.dumps(document).encode())


SYMMETRIC = {"kty": "oct", "k": "c2VjcmV0", "kid": "s", "alg": "HS256"}


def test_a_secret_in_a_file_of_keys_is_an_error() -> None:
    """A symmetric or a private key in a file is told; from a URL it is left out (RFC 7517, 5)."""
    public = signer().jwk()
    for secret, what in (
        (SYMMETRIC, "a symmetric key"),
        (signer("RS256", "p").private_jwk(), "a private key"),
        (signer("EdDSA", "p").private_jwk(), "a private key"),
    ):
        content = json.dumps({"keys": [public, secret]}).encode()
        with pytest.raises(ValueError, match=rf"keys\[1\] is {what}"):
            keys.read(content, strict=True)
        assert 1 == len(keys.read(content, strict=False).identities)


def case(entry: dict[str, Any]) -> str:
    """Name a key by its fields, without the numbers, which are others in every process."""
    return " ".join(
        name if len(str(entry[name])) > 16 else f"{name}={entry[name]}" for name in sorted(entry)
    )


@pytest.mark.parametrize(
    "entry",
    [
        signer().jwk(use="enc"),
        signer().jwk(alg="RS512"),
        signer().jwk(alg="PS256"),
        signer().jwk(alg="none"),
        signer().jwk(key_ops=["encrypt"]),
        signer().jwk(key_ops="verify"),
        signer().jwk(kid=5),
        signer().jwk(kty="EC"),
        signer().jwk(n=""),
        signer().jwk(n="!!"),
        signer().jwk(n=None),
        signer("RSA 1024").jwk(),
        signer("ES384").jwk(),
        signer("ES256").jwk(crv="P-384"),
        signer("ES256").jwk(x="AAAA"),
        signer("EdDSA").jwk(crv="X25519"),
        {"kty": "later"},
        {},
    ],
    ids=case,
)
def test_a_key_of_no_use_is_left_out(entry: dict[str, Any]) -> None:
    """What is for something else, too weak, broken or not understood, counts for nothing."""
    other = signer("EdDSA", "good").jwk()

    found = keys.read(json.dumps({"keys": [entry, other]}).encode(), strict=True)

    assert 1 == len(found.identities)
    with pytest.raises(ValueError, match="no public key"):
        keys.read(json.dumps({"keys": [entry]}).encode(), strict=True)


@pytest.mark.parametrize("kind", ["RS256", "ES256", "EdDSA", "Ed448"])
def test_keys_say_by_themselves_what_they_are_for(kind: str) -> None:
    """A key without `alg`, `use` and `kid` is of the algorithm of its kind."""
    plain = {n: v for n, v in signer(kind).jwk().items() if n not in {"alg", "use", "kid"}}

    assert 1 == len(keys.read(json.dumps({"keys": [plain]}).encode(), strict=True).identities)


@pytest.mark.parametrize(
    "content",
    [b"", b"[]", b"{}", b'{"keys":{}}', b'{"keys":[]}', b'{"keys":[5]}', b"\xff", b"[" * 9999,
     b'{"keys":[],"keys":[]}', json.dumps({"keys": [{}] * 101}).encode()],
    ids=range(10),
)  # fmt: skip
def test_what_is_no_set_of_keys(content: bytes) -> None:
    """It is an error, whatever it is."""
    with pytest.raises(ValueError, match=r"\w"):
        keys.read(content, strict=False)


def test_a_file_is_read_again_when_it_changes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """A change is taken; what is wrong then is told once, and what was read before holds."""
    taken: list[bytes] = []

    def take(content: bytes) -> None:
        if b"wrong" in content:
            raise ValueError("line 1 is wrong")
        taken.append(content)

    path = tmp_path / "file"
    path.write_bytes(b"one")
    file = WatchedFile("AUTH_API_KEYS_FILE", str(path), take)
    file.load()
    file.look()
    path.write_bytes(b"second")
    file.look()
    caplog.set_level(logging.INFO)
    path.write_bytes(b"wrong!!!")
    file.look()
    file.look()
    path.unlink()
    file.look()
    file.look()
    path.write_bytes(b"and again")
    file.look()

    assert [b"one", b"second", b"and again"] == taken
    warnings = [r.getMessage() for r in caplog.records if r.levelno >= logging.WARNING]
    assert 2 == len(warnings)
    assert "line 1 is wrong; its previous content stays in force" in warnings[0]
    assert "No such file" in warnings[1]


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    """A subject in the first line of a file written on Windows is the one it names."""
    taken: list[bytes] = []
    path = tmp_path / "subjects"
    path.write_text(f"{SUBJECT} orders:read\r\n", encoding="utf-8-sig")

    WatchedFile("AUTH_SUBJECTS_FILE", str(path), taken.append).load()

    assert {SUBJECT: frozenset(["orders:read"])} == grants.subjects(taken[0].decode())


def test_the_swap_of_a_volume_is_seen(tmp_path: Path) -> None:
    """A file behind a link that is swapped, as Kubernetes does it, is read again."""
    taken: list[bytes] = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "keys").write_text(name)
    (tmp_path / "data").symlink_to("one")
    (tmp_path / "keys").symlink_to("data/keys")
    file = WatchedFile("AUTH_API_KEYS_FILE", str(tmp_path / "keys"), taken.append)
    file.load()
    (tmp_path / "next").symlink_to("two")
    (tmp_path / "next").rename(tmp_path / "data")

    file.look()

    assert [b"one", b"two"] == taken


def test_a_file_that_could_not_be_read_is_read_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """A look that failed, as when descriptors have run out, does not lose what has changed."""
    path = tmp_path / "keys"
    path.write_text("one")
    taken: list[bytes] = []
    file = WatchedFile("AUTH_API_KEYS_FILE", str(path), taken.append)
    file.load()
    path.write_text("a second")
    with monkeypatch.context() as trouble:
        trouble.setattr(WatchedFile, "_read", _no_descriptors)
        file.look()
        file.look()

    file.look()
    file.look()

    assert [b"one", b"a second"] == taken
    assert 1 == sum(r.levelno >= logging.WARNING for r in caplog.records)


def _no_descriptors(_: WatchedFile) -> bytes:
    raise OSError(errno.EMFILE, os.strerror(errno.EMFILE))


def test_a_file_that_is_missing_or_too_large_is_told(tmp_path: Path) -> None:
    """At start it is an error that names the variable and the path."""
    path = tmp_path / "file"
    file = WatchedFile("AUTH_JWKS_FILE", str(path), lambda _: None)
    with pytest.raises(ConfigError, match=r"AUTH_JWKS_FILE is '.*'; allowed: a readable file"):
        file.load()
    path.write_bytes(b"x" * (LARGEST + 1))
    with pytest.raises(ConfigError, match="more than"):
        file.load()
