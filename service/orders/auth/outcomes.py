"""The outcomes of checking a credential: the closed set that metrics count."""

from typing import Final

ACCEPTED: Final = "accepted"
MISSING: Final = "missing"
SEVERAL: Final = "several"
MALFORMED: Final = "malformed"
UNKNOWN_API_KEY: Final = "unknown-api-key"
UNKNOWN_ISSUER: Final = "unknown-issuer"
UNKNOWN_KEY: Final = "unknown-key"
WRONG_AUDIENCE: Final = "wrong-audience"
EXPIRED: Final = "expired"
NOT_YET: Final = "not-yet-valid"
WRONG_SIGNATURE: Final = "wrong-signature"
INSUFFICIENT_SCOPE: Final = "insufficient-scope"
NO_KEYS: Final = "no-keys"
BUSY: Final = "busy"

DETAILS: Final = {
    MISSING: "the request has no credential",
    SEVERAL: "the request has more than one credential",
    MALFORMED: "the credential is malformed",
    UNKNOWN_API_KEY: "the API key is not known",
    UNKNOWN_ISSUER: "the issuer of the token is not known",
    UNKNOWN_KEY: "the token names a key that is not known",
    WRONG_AUDIENCE: "the token is for another audience",
    EXPIRED: "the token has expired",
    NOT_YET: "the token is not valid yet",
    WRONG_SIGNATURE: "the token's signature is wrong",
    NO_KEYS: "the keys of the token's issuer are not known yet",
    BUSY: "too many new tokens are waiting to be verified; tokens verified before are still "
    "accepted",
}
"""The texts for callers; none says anything that is not in the caller's own request."""

OUTCOMES: Final = (ACCEPTED, INSUFFICIENT_SCOPE, *DETAILS)


class Refused(Exception):
    """A credential that is not accepted; `outcome` says why."""

    def __init__(self, outcome: str) -> None:
        super().__init__(outcome)
        self.outcome = outcome
