"""The Idempotency-Key header (draft-ietf-httpapi-idempotency-key-header).

The draft makes the value a structured-field string (RFC 9651, 3.3.3), so it is quoted; as many
clients do not quote, a bare run of visible characters is taken for the same key.
"""

import re
from typing import Final

from orders.errors import MalformedIdempotencyKey

LIMIT: Final = 255
"""Characters a key may have, after unquoting."""

# No comma in a bare key: a field that was sent twice arrives joined by one (RFC 9110, 5.3).
PATTERN: Final = rf'^(?:"(?:[ !#-\[\]-~]|\\["\\]){{1,{LIMIT}}}"|[!#-+\--~]{{1,{LIMIT}}})$'
"""What is accepted, for the documentation."""

RULE: Final = (
    "it must be one quoted string of printable ASCII characters, in which only"
    ' \\" and \\\\ are escapes, or the same without quotes, spaces and commas'
)
"""What is accepted, for whoever sent something else."""

_QUOTED: Final = re.compile(r'"((?:[ !#-\[\]-~]|\\["\\])*)"')
_BARE: Final = re.compile(r"[!#-+\--~]*")
_ESCAPE: Final = re.compile(r"\\(.)")


def parse(value: str) -> str:
    """
    Return the key that a header's value stands for, 1 to 255 printable ASCII characters.

    Raises:
        MalformedIdempotencyKey: it stands for none.

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
        msg = f"it must have 1 to {LIMIT} characters, this one has {len(key)}"
        raise MalformedIdempotencyKey(msg)
    return key
