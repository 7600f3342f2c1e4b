"""The one error of calls to the Kubernetes API, with a closed set of reasons.

The reasons are also condition reasons and metric labels. A status that fits none of them is
`Refused`, which keeps the set closed whatever a server invents.
"""

from enum import StrEnum
from typing import Any, Final

MESSAGE_LENGTH: Final = 512
_NOT_FOUND: Final = 404
_CONFLICT: Final = 409
_SERVER: Final = 500
_TOO_MANY: Final = 429


class ErrorReason(StrEnum):
    """Why a call failed."""

    NOT_FOUND = "NotFound"
    ALREADY_EXISTS = "AlreadyExists"
    CONFLICT = "Conflict"
    FORBIDDEN = "Forbidden"
    UNAUTHORIZED = "Unauthorized"
    INVALID = "Invalid"
    UNAVAILABLE = "Unavailable"
    TERMINATING = "NamespaceTerminating"
    REFUSED = "Refused"


_BY_STATUS: Final = {
    400: ErrorReason.INVALID,
    401: ErrorReason.UNAUTHORIZED,
    403: ErrorReason.FORBIDDEN,
    409: ErrorReason.CONFLICT,
    410: ErrorReason.CONFLICT,
    413: ErrorReason.INVALID,
    415: ErrorReason.INVALID,
    422: ErrorReason.INVALID,
    429: ErrorReason.UNAVAILABLE,
}


class KubeError(Exception):
    """A call failed; `reason` is one of the set, `status` is HTTP's, 0 without an answer.

    `lost` says that any other call would fail as well: the API server could not be reached at all,
    it does not accept our identity, or the namespace is being deleted.
    """

    def __init__(
        self, reason: ErrorReason, message: str, status: int = 0, *, lost: bool | None = None
    ) -> None:
        """Keep the cause; the message is cut, because a server may repeat a whole object in it."""
        super().__init__(f"{reason}: {message[:MESSAGE_LENGTH]}")
        self.reason = reason
        self.message = message[:MESSAGE_LENGTH]
        self.status = status
        self.lost = _lost(reason, status) if lost is None else lost


def from_answer(status: int, body: Any, what: str) -> KubeError:
    """Return the error for an answer; `body` is a Kubernetes Status, if the server sent one.

    Only the reason and the message are taken from it, and for Secrets only the reason: the details
    of a validation error may repeat values, and values may be secret.

    A 404 is `NotFound` only if it names the very object that was requested. A proxy, a webhook and
    a path that nobody serves answer with 404, too, and that proves nothing.
    """
    told = body if isinstance(body, dict) else {}
    server = status >= _SERVER
    reason = ErrorReason.UNAVAILABLE if server else _BY_STATUS.get(status, ErrorReason.REFUSED)
    if status == _CONFLICT and told.get("reason") == "AlreadyExists":
        reason = ErrorReason.ALREADY_EXISTS
    if status == _NOT_FOUND and _is_of(told, what):
        reason = ErrorReason.NOT_FOUND
    causes = (told.get("details") or {}).get("causes") or []
    if any(cause.get("reason") == ErrorReason.TERMINATING for cause in causes):
        reason = ErrorReason.TERMINATING
    message = str(told.get("message") or f"HTTP {status}")
    if "/secrets" in what:
        message = str(told.get("reason") or f"HTTP {status}")
    return KubeError(reason, f"{what}: {message}", status)


def _lost(reason: ErrorReason, status: int) -> bool:
    unreached = reason is ErrorReason.UNAVAILABLE and status == 0
    return unreached or reason in {ErrorReason.UNAUTHORIZED, ErrorReason.TERMINATING}


def _is_of(told: dict[str, Any], what: str) -> bool:
    """Whether a Status says that the object at a URL, or at its subresource's, does not exist."""
    details = told.get("details") or {}
    kind = str(details.get("kind")).partition("/")[0]  # for a log it is pods/log
    named = [kind, details.get("name")]
    parts = what.split("/")
    absent = (told.get("kind"), told.get("reason")) == ("Status", ErrorReason.NOT_FOUND)
    if kind == "namespaces":  # counts for itself, not for what is in it
        return absent and named == parts[-2:]
    return absent and named in (parts[-2:], parts[-3:-1])


def transient(status: int) -> bool:
    """Whether the same call may succeed a little later."""
    return status == _TOO_MANY or status >= _SERVER
