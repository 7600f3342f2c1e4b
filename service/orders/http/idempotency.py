"""The Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header).

In the draft the value is a structured-field Item (RFC 9651, 3.3; before it RFC 8941) that is a
String, so it is quoted and may have parameters; none is defined, so they are ignored. Because many
clients do not quote, a bare run of visible characters is taken as the same key, as a whole.
"""

import re
from typing import Final

from orders.errors import MalformedIdempotencyKey

LIMIT: Final = 255
"""Characters a key may have, after unquoting."""

# In the order of RFC 9651, 3.3: a number or a Date, a String, a Token, a Byte Sequence, a Boolean,
# a Display String.
_VALUE: Final = (
    r"(?:-?(?:[0-9]{1,12}\.[0-9]{1,3}|[0-9]{1,15})|@-?[0-9]{1,15}"
    r'|"(?:[ !#-\[\]-~]|\\["\\])*"'
    r"|[A-Za-z*][!#$%&'*+.^_`|~0-9A-Za-z:/-]*"
    r"|:[A-Za-z0-9+/=]*:|\?[01]"
    r'|%"(?:[ !#$&-~]|%[0-9a-f]{2})*")'
)
_PARAMETERS: Final = rf"(?:; *[a-z*][a-z0-9_.*-]*(?:={_VALUE})?)*"

# No comma in a bare key: a field that was sent twice arrives joined by one (RFC 9110, 5.3).
PATTERN: Final = (
    rf'^(?:"(?:[ !#-\[\]-~]|\\["\\]){{1,{LIMIT}}}"{_PARAMETERS}|[!#-+\--~]{{1,{LIMIT}}})$'
)
"""The accepted values, for the documentation."""

RULE: Final = (
    "it must be one quoted string (RFC 9651) of printable ASCII characters, in which only"
    ' \\" and \\\\ are escapes, or the same without quotes, spaces and commas'
)
"""The accepted values, for a caller that sent something else."""

_QUOTED: Final = re.compile(rf'"((?:[ !#-\[\]-~]|\\["\\])*)"{_PARAMETERS}')
_BARE: Final = re.compile(r"[!#-+\--~]*")
_ESCAPE: Final = re.compile(r"\\(.)")


def parse(value: str) -> str:
    """Return the key that a header's value stands for, 1 to 255 printable ASCII characters.

    Raises:
        MalformedIdempotencyKey: it is not a key.

    """
    if quoted := _QUOTED.fullmatch(value):
        key = quoted[1]
        if "\\" in key:
            key = _ESCAPE.sub(r"\1", key)
    elif _BARE.fullmatch(value):
        key = value
    else:
        raise MalformedIdempotencyKey(RULE)
    if not 0 < len(key) <= LIMIT:
        raise wrong_length(len(key))
    return key


def wrong_length(length: int) -> MalformedIdempotencyKey:
    """Return the problem for a key of `length` characters."""
    return MalformedIdempotencyKey(
        f"the key must have 1 to {LIMIT} characters; this one has {length}"
    )
