"""The variables that say who may order."""

from ipaddress import ip_address
from typing import Final
from urllib.parse import urlsplit

from orders_common import parse
from orders_common.settings import Setting

GROUP: Final = "Authentication"
_NO, _YES = False, True
_FILE: Final = "the path of a file"
_WATCHED: Final = "The file is checked for changes every 10 s."
_WORD: Final = "text without spaces, at most 255 characters"
_KEYS_URL: Final = "an https URL, or an http URL of this machine or of a name that ends in .svc"


def keys_url(value: str) -> str:
    """Take a URL of keys: https, or http where nobody in between can give others.

    That is this machine, and what a cluster's own DNS names.
    """
    parts = urlsplit(parse.url(value))
    if parts.scheme == "http" and not is_near(parts.hostname or ""):
        raise ValueError(value)
    if parts.username is not None or parts.password is not None or parts.fragment:
        raise ValueError(value)
    return value


def is_near(host: str) -> bool:
    """Whether a host is this machine, or has a name that only a cluster's DNS gives."""
    try:
        return ip_address(host).is_loopback
    except ValueError:
        name = host.lower().rstrip(".")
        return name == "localhost" or name.endswith(".svc")


AUTH: Final = (
    Setting(
        "issuer",
        ("AUTH_ISSUER",),
        parse.word(255),
        None,
        _WORD,
        "The issuer of the bearer tokens: the exact `iss` of each. Without a file or URL of its "
        "keys, it must be an https URL, where OpenID discovery finds them.",
        GROUP,
    ),
    Setting(
        "audience",
        ("AUTH_AUDIENCE",),
        parse.word(255),
        None,
        _WORD,
        "The audience of the tokens: a word that each must name in `aud`.",
        GROUP,
    ),
    Setting(
        "jwks_file",
        ("AUTH_JWKS_FILE",),
        parse.text,
        None,
        _FILE,
        f"The issuer's public keys, a JWK Set. {_WATCHED}",
        GROUP,
    ),
    Setting(
        "jwks_url",
        ("AUTH_JWKS_URL",),
        keys_url,
        None,
        _KEYS_URL,
        "The URL of the issuer's keys, fetched every hour and when a token names an unknown key. "
        "A file is used instead if there is one. Without either, OpenID discovery finds the URL.",
        GROUP,
    ),
    Setting(
        "scopes_claim",
        ("AUTH_SCOPES_CLAIM",),
        parse.word(255),
        None,
        _WORD,
        "The claim that holds a token's scopes, as words or as a list. When left out, `scope`, "
        "else `scp`.",
        GROUP,
    ),
    Setting(
        "subjects_file",
        ("AUTH_SUBJECTS_FILE",),
        parse.text,
        None,
        _FILE,
        "The scopes of subjects whose tokens have none. Each line is a subject and its scopes, "
        f"such as `system:serviceaccount:shop:checkout orders:read orders:write`. {_WATCHED}",
        GROUP,
    ),
    Setting(
        "issuers_file",
        ("AUTH_ISSUERS_FILE",),
        parse.text,
        None,
        _FILE,
        "Further issuers, as JSON; [security](security.md#further-issuers) has an example. "
        f"{_WATCHED}",
        GROUP,
    ),
    Setting(
        "api_keys_file",
        ("AUTH_API_KEYS_FILE",),
        parse.text,
        None,
        _FILE,
        "The API keys that callers may send in `X-Api-Key`: lines that `orders keys new` prints. "
        f"{_WATCHED}",
        GROUP,
    ),
    Setting(
        "metrics_keys_file",
        ("METRICS_API_KEYS_FILE",),
        parse.text,
        None,
        "the path of a file, together with METRICS_AUTH=true",
        "Keys that open only `/metrics`, as lines of the same form, such as the one of a "
        f"Prometheus. With them, METRICS_AUTH needs none of the variables above. {_WATCHED}",
        GROUP,
    ),
)

ACCESS: Final = (
    Setting(
        "metrics_auth",
        ("METRICS_AUTH",),
        parse.boolean,
        _NO,
        "true, false",
        "Whether `/metrics` requires the scope `metrics:read`; an API key may also be sent there "
        "as `Bearer`. Probes stay open.",
        GROUP,
    ),
    Setting(
        "docs_enabled",
        ("DOCS_ENABLED",),
        parse.boolean,
        _YES,
        "true, false",
        "Whether the documentation and the OpenAPI document are served. Both are open to "
        "everyone.",
        GROUP,
    ),
)
