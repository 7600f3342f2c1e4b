"""Keeps secrets out of what people read: listings, errors, logs.

Text that looks like a secret is masked wherever it stands, because a URL may be in the wrong
variable, and a library may show it. The secrets of the configuration are known, so they are also
masked literally, however they got into a message.
"""

import re
from collections.abc import Callable, Iterable
from typing import Final
from urllib.parse import quote, quote_plus

Mask = Callable[[str], str]
"""Returns a text without secrets."""

MASK: Final = "***"

_SHORTEST: Final = 4
"""Characters of a secret that is looked for; a shorter one would be found in every word."""

# A caller chooses parts of what is logged: each of these takes time that is linear in the text.
_URL: Final = re.compile(r"(\w://)([^\s'\"<>]+)")
_BARE: Final = re.compile(r"(?<![^\s'\",;=(])[^\s:/@'\",;=(]{1,64}:(?!//)[^\s@'\"]{1,256}@(?=\S)")
_HEADER: Final = re.compile(
    r"(authorization['\"]?\s{0,4}[:=]\s{0,4}['\"]?)(?:(?:bearer|basic)(?: |%20){1,4})?[^\s'\",;]+",
    re.IGNORECASE,
)
_TOKEN: Final = re.compile(
    r"\b((?:bearer|basic)(?: |%20){1,4})(?=\S{0,64}[\d=_.-])[\w.~+/%=-]{4,}", re.IGNORECASE
)
_NAMED: Final = re.compile(
    r"(?<![\w.-])(?=[\w.-]{0,64}?(?:passw(?:or)?d|passphrase|pwd|secret|token|api[._-]?key"
    r"|access[._-]?key|credential|signature|(?<![\w.-])sig))([\w.-]{1,128}\s{0,4}=\s{0,4})"
    r"(?:'(?:[^'\\]|\\.)*'|\"[^\"]*\"|['\"]?[^\s&;,'\"]+)",
    re.IGNORECASE,
)
_JWT: Final = re.compile(r"(?<![\w.-])eyJ[\w-]{8,512}\.[\w-]{8,4096}\.[\w-]{0,1024}")
_API_KEY: Final = re.compile(r"(?<![\w-])orders_[\w-]{43}(?![\w-])")
"""What `orders keys new` prints."""
_QUERY: Final = re.compile(r"(https?://[^\s?#]*\?)[^\s#]+")


def masked(text: str) -> str:
    """Return a text without what looks like a secret: in URLs, in headers, by its name or form."""
    text = _URL.sub(_without_user, text)
    text = _BARE.sub(f"{MASK}@", text)
    text = _HEADER.sub(rf"\1{MASK}", text)
    text = _NAMED.sub(rf"\1{MASK}", text)
    text = _JWT.sub(MASK, text)
    text = _API_KEY.sub(MASK, text)
    return _TOKEN.sub(rf"\1{MASK}", text)


def masked_value(text: str) -> str:
    """Return the value of a variable to show.

    It is one URL, so that all before its last @ may be a password; and its query may be a key,
    whatever its name.
    """
    scheme, separator, rest = text.partition("://")
    _, at, place = rest.rpartition("@")
    shown = f"{scheme}://{MASK}@{place}" if separator and at else text
    return masked(_QUERY.sub(rf"\1{MASK}", shown))


def _without_user(url: re.Match[str]) -> str:
    _, at, place = url[2].rpartition("@")
    return f"{url[1]}{MASK}@{place}" if at else url[0]


class Secrets:
    """The secrets of one configuration."""

    def __init__(self, values: Iterable[str] = (), public: Iterable[str] = ()) -> None:
        """Keep what to look for.

        Args:
            values: the secrets.
            public: what may be shown; a secret that is the same as one of these hides nothing.

        """
        shown = frozenset(public)
        kept = {value for value in values if len(value) >= _SHORTEST and value not in shown}
        forms = {form for value in kept for form in _forms(value)}
        longest_first = sorted(forms, key=lambda form: (-len(form), form))
        self._find = re.compile("|".join(map(_whole, longest_first))) if forms else None

    def masked(self, text: str) -> str:
        """Return a text without them, and without what looks like another one."""
        return masked(text if self._find is None else self._find.sub(MASK, text))


def _forms(secret: str) -> set[str]:
    """Return how a secret may be written: as it is, in a URL, in Python's quotes."""
    return {secret, quote(secret, safe=""), quote(secret), quote_plus(secret), repr(secret)[1:-1]}


def _whole(form: str) -> str:
    """Return a pattern of a secret that is no part of a longer word."""
    before = r"(?<!\w)" if form[0].isalnum() else ""
    after = r"(?!\w)" if form[-1].isalnum() else ""
    return before + re.escape(form) + after
