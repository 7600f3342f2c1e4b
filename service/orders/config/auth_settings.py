"""The variables that say who may order."""

from typing import Final

from orders.config import parse
from orders.config.settings import Setting

GROUP: Final = "Authentication"
_NO, _YES = False, True
_FILE: Final = "the path of a file"
_WATCHED: Final = "It is looked at every 10 s."
_WORD: Final = "text without spaces, 255 characters at most"
_KEYS_URL: Final = "an https URL; or http, of this machine or of a name that ends in .svc"

AUTH: Final = (
    Setting(
        "issuer",
        ("AUTH_ISSUER",),
        parse.word(255),
        None,
        _WORD,
        "Who makes the bearer tokens: the exact `iss` of each. Without a file or a URL of its "
        "keys it is an https URL, below which OpenID discovery finds them.",
        GROUP,
    ),
    Setting(
        "audience",
        ("AUTH_AUDIENCE",),
        parse.word(255),
        None,
        _WORD,
        "For whom they have to be: a word that each names in `aud`.",
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
        parse.keys_url,
        None,
        _KEYS_URL,
        "Where they are fetched, every hour and when a token is of a key that is not known, if "
        "there is no file. Without either they are where OpenID discovery says.",
        GROUP,
    ),
    Setting(
        "scopes_claim",
        ("AUTH_SCOPES_CLAIM",),
        parse.word(255),
        None,
        _WORD,
        "The claim with the scopes of a token, words or a list; `scope`, else `scp`, when left "
        "out.",
        GROUP,
    ),
    Setting(
        "subjects_file",
        ("AUTH_SUBJECTS_FILE",),
        parse.text,
        None,
        _FILE,
        "The scopes of subjects whose tokens have none: a line is a subject and its scopes, such "
        f"as `system:serviceaccount:shop:checkout orders:read orders:write`. {_WATCHED}",
        GROUP,
    ),
    Setting(
        "issuers_file",
        ("AUTH_ISSUERS_FILE",),
        parse.text,
        None,
        _FILE,
        "Further issuers, in JSON; [security](security.md#further-issuers) has an example. "
        f"{_WATCHED}",
        GROUP,
    ),
    Setting(
        "api_keys_file",
        ("AUTH_API_KEYS_FILE",),
        parse.text,
        None,
        _FILE,
        f"Who may call with a key in `X-Api-Key`: lines that `orders keys new` prints. {_WATCHED}",
        GROUP,
    ),
    Setting(
        "metrics_keys_file",
        ("METRICS_API_KEYS_FILE",),
        parse.text,
        None,
        "the path of a file, together with METRICS_AUTH=true",
        "Keys that open `/metrics` alone, as lines of the same form, such as that of a "
        f"Prometheus. With it METRICS_AUTH needs none of the variables above. {_WATCHED}",
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
        "Whether `/metrics` asks for the scope `metrics:read`; an API key may come as `Bearer` "
        "there. Probes stay open.",
        GROUP,
    ),
    Setting(
        "docs_enabled",
        ("DOCS_ENABLED",),
        parse.boolean,
        _YES,
        "true, false",
        "Whether the documentation and the OpenAPI document are served; both are open to all.",
        GROUP,
    ),
)
