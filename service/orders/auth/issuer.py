"""An issuer of bearer tokens: its configuration, and the keys that are known."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from msgspec import Struct

from orders.auth import grants, strict_json
from orders.auth.caller import BEARER, Caller, token_owner
from orders.auth.outcomes import NO_KEYS, WRONG_AUDIENCE, Refused
from orders.auth.token import Token
from orders.config.auth import discoverable
from orders.config.auth_settings import keys_url
from orders_common.parse import text, word

if TYPE_CHECKING:
    from orders.auth.keys import Key, Keys

_NO_SUBJECTS: Final[Mapping[str, frozenset[str]]] = MappingProxyType({})
_FIELDS: Final = ("issuer", "audience", "jwksFile", "jwksURL", "scopesClaim", "subjects")
_LONGEST: Final = 255


class Trust(Struct, frozen=True, kw_only=True):
    """Which tokens of an issuer are taken, and where its keys are: a file, a URL, or discovery."""

    issuer: str
    audience: str
    jwks_file: str | None = None
    jwks_url: str | None = None
    scopes_claim: str | None = None


class Issuer:
    """An issuer; `keys` is None until they were found for the first time."""

    def __init__(
        self, trust: Trust, subjects: Mapping[str, frozenset[str]] = _NO_SUBJECTS
    ) -> None:
        """`subjects` have scopes that their tokens do not name."""
        self.trust = trust
        self.subjects = subjects
        self.keys: Keys | None = None

    def key_of(self, token: Token) -> "Key":
        """Return the key that a token was signed with, if it is for us.

        Raises:
            Refused: it is for others, or of a key that is not known, or no key is yet.

        """
        if self.trust.audience not in token.audiences:
            raise Refused(WRONG_AUDIENCE)
        if self.keys is None:
            raise Refused(NO_KEYS)
        return self.keys.of(token)

    def verify(self, token: Token, key: "Key") -> None:
        """Check a token's signature.

        Raises:
            Refused: it is wrong.

        """
        if self.keys is None:
            raise Refused(NO_KEYS)
        self.keys.verify(token, key, self.trust.issuer, self.trust.audience)

    def caller(self, subject: str, named: frozenset[str] | None) -> Caller:
        """Return the caller of a valid token that names these scopes; None gives the subject's."""
        given = self.subjects.get(subject, frozenset()) if named is None else named
        return Caller(subject, token_owner(self.trust.issuer, subject), given, BEARER)


def issuers(content: bytes) -> list[Issuer]:
    """Read the file of further issuers: a list of objects, in JSON.

    Raises:
        ValueError: which issuer is wrong, and how.

    """
    document = strict_json.loads(content)
    if not isinstance(document, list):
        raise ValueError("it must be a list of issuers")  # noqa: TRY004  it is the file's
    found: dict[str, Issuer] = {}
    for index, entry in enumerate(document):
        where = f"[{index}]"
        issuer = _issuer(entry, where)
        if issuer.trust.issuer in found:
            raise ValueError(f"{where}.issuer repeats that of an earlier entry")
        found[issuer.trust.issuer] = issuer
    return list(found.values())


def _issuer(entry: Any, where: str) -> Issuer:
    if not isinstance(entry, dict) or not entry.keys() <= set(_FIELDS):
        raise ValueError(f"{where} must be an object; its fields: {', '.join(_FIELDS)}")
    trust = Trust(
        issuer=_needed(entry, "issuer", where),
        audience=_needed(entry, "audience", where),
        jwks_file=_field(entry, "jwksFile", where, text),
        jwks_url=_field(entry, "jwksURL", where, keys_url),
        scopes_claim=_field(entry, "scopesClaim", where, word(_LONGEST)),
    )
    if trust.jwks_file is None and trust.jwks_url is None and not discoverable(trust.issuer):
        raise ValueError(
            f"{where}.issuer is not an https URL, so its keys cannot be discovered: give jwksFile"
            " or jwksURL"
        )
    return Issuer(trust, _subjects(entry.get("subjects", {}), where))


def _subjects(given: Any, where: str) -> Mapping[str, frozenset[str]]:
    where = f"{where}.subjects"
    if not isinstance(given, dict):
        raise ValueError(f"{where} must be an object whose values are lists of scopes")  # noqa: TRY004  the same
    scopes_by_subject = {}
    for subject, words in given.items():
        if not isinstance(words, list) or not all(isinstance(each, str) for each in words):
            raise ValueError(f"{where}[{subject!r}] must be a list of scopes")
        scopes_by_subject[subject] = grants.scopes(words, f"{where}[{subject!r}]")
    return scopes_by_subject


def _needed(entry: dict[str, Any], name: str, where: str) -> str:
    value = _field(entry, name, where, word(_LONGEST))
    if value is None:
        raise ValueError(f"{where}.{name} is missing")
    return value


def _field(entry: dict[str, Any], name: str, where: str, parse: Any) -> str | None:
    value = entry.get(name)
    if value is None:
        return None
    if isinstance(value, str) and value:
        try:
            return str(parse(value))
        except ValueError:
            pass
    raise ValueError(f"{where}.{name} is not allowed: {str(value)[:80]!r}")
