"""Redacts a query for a span: what may be a key is replaced (Semantic Conventions for URL)."""

import re
from typing import Final

_SENSITIVE: Final = re.compile(
    r"(?:(?<=&)|\A)"
    r"((?:AWSAccessKeyId|Signature|sig|X-Goog-Signature|X-Amz-(?:Signature|Credential|Security-Token)"
    r"|(?:access_|id_|refresh_|auth_)?token|api_?key|apikey|key|password|secret)=)[^&]*",
    re.IGNORECASE,
)
"""The conventions' keys, and those by which callers of other services send secrets."""


def redacted(query: str) -> str:
    """Return a query whose secrets are REDACTED; their keys stay."""
    return _SENSITIVE.sub(r"\1REDACTED", query)
