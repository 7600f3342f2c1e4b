"""Every way a request can fail: one closed set.

The `name` of a problem is the last part of `type` in the problem document (RFC 9457), the value of
`problem` in the access log and, from status 500 on, of the `error_type` label in metrics, so the
same word finds the same failure everywhere.
"""

from typing import ClassVar, Final, Self

TYPE_PREFIX: Final = "https://orders.dev/problems/"


class Problem(Exception):
    """A failure that the caller is told of; `detail` says what was wrong with this request."""

    name: ClassVar[str]
    status: ClassVar[int]
    title: ClassVar[str]
    usual: ClassVar[str] = ""
    """The detail where none is given. It names no order of another caller."""

    def __init__(
        self,
        detail: str = "",
        *,
        errors: tuple[tuple[str, str], ...] = (),
        headers: tuple[tuple[str, str], ...] = (),
    ) -> None:
        """Keep the detail, (pointer, message) pairs of validation, and response headers."""
        self.detail = detail or self.usual
        super().__init__(self.detail)
        self.errors = errors
        self.headers = headers


class InvalidRequest(Problem):
    """The body, an id or a query parameter does not validate; `errors` has JSON pointers."""

    name = "invalid-request"
    status = 400
    title = "The request is not valid"

    @classmethod
    def at(cls, pointer: str, detail: str) -> Self:
        """Name the one place that is wrong: a JSON pointer, or empty for the whole body."""
        where = pointer or "the body"
        return cls(f"{where}: {detail}", errors=((pointer, detail),))


class MalformedIdempotencyKey(Problem):
    """The Idempotency-Key is not a structured-field string of 1 to 255 characters."""

    name = "malformed-idempotency-key"
    status = 400
    title = "The Idempotency-Key is malformed"


class Unauthorized(Problem):
    """There is no valid credential (RFC 9110, 15.5.2); nothing else of the request was read."""

    name = "unauthorized"
    status = 401
    title = "A valid credential is required"


class InsufficientScope(Problem):
    """The credential is valid, and does not have the scope (RFC 6750, 3.1)."""

    name = "insufficient-scope"
    status = 403
    title = "The credential lacks a scope"

    @classmethod
    def of(cls, scope: str, *headers: tuple[str, str]) -> Self:
        """Name the scope that the endpoint asks for."""
        return cls(f"the scope {scope} is required", headers=headers)


class OrderNotFound(Problem):
    """No order has this id."""

    name = "order-not-found"
    status = 404
    title = "No such order"

    @classmethod
    def of(cls, order_id: object) -> Self:
        """Name the id."""
        return cls(f"no order has the id {order_id}")


class NotFound(Problem):
    """No endpoint has this path."""

    name = "not-found"
    status = 404
    title = "No such resource"


class MethodNotAllowed(Problem):
    """The path exists, the method does not; `Allow` lists those that do (RFC 9110, 15.5.6)."""

    name = "method-not-allowed"
    status = 405
    title = "Method not allowed"

    @classmethod
    def of(cls, method: str, allow: str) -> Self:
        """Say which methods the path has, as the `Allow` header does."""
        told = f"{method[:200]} is not allowed; allowed: {allow}"
        return cls(told, headers=(("allow", allow),))


class NotAcceptable(Problem):
    """The Accept header admits none of the types this endpoint has (RFC 9110, 15.5.7)."""

    name = "not-acceptable"
    status = 406
    title = "Not acceptable"
    usual = "this resource is application/json, which the Accept header excludes"


class RequestTimeout(Problem):
    """The body did not arrive within REQUEST_TIMEOUT (RFC 9110, 15.5.9); nothing was done."""

    name = "request-timeout"
    status = 408
    title = "The body did not arrive in time"

    @classmethod
    def after(cls, seconds: float) -> Self:
        """Say how long the body had, and close the connection."""
        told = f"the body did not arrive within {seconds:.1f} s"
        return cls(told, headers=(("connection", "close"),))


class OrderMissing(Problem):
    """The Idempotency-Key was used, and its order is not there: deleted by hand, or kept out."""

    name = "order-missing"
    status = 409
    title = "The order of the Idempotency-Key is missing"
    usual = "the order that was created with this key no longer exists"


class PreconditionFailed(Problem):
    """If-Match or If-None-Match is false for what the request is about (RFC 9110, 15.5.13)."""

    name = "precondition-failed"
    status = 412
    title = "A condition of the request is false"
    usual = "If-Match or If-None-Match does not hold"


class ContentTooLarge(Problem):
    """The body is larger than the endpoint takes (RFC 9110, 15.5.14)."""

    name = "content-too-large"
    status = 413
    title = "The body is too large"

    @classmethod
    def of(cls, limit: int | None) -> Self:
        """Say how many bytes it may have."""
        return cls(f"the body may have at most {limit:,} bytes")


class UnsupportedMediaType(Problem):
    """The body is not JSON (RFC 9110, 15.5.16)."""

    name = "unsupported-media-type"
    status = 415
    title = "Unsupported media type"


class IdempotencyKeyReused(Problem):
    """The Idempotency-Key was used before with another payload."""

    name = "idempotency-key-reused"
    status = 422
    title = "The Idempotency-Key was used with another payload"
    usual = "the key was used before with another payload"


class Internal(Problem):
    """A defect; the log has the traceback under the same trace id."""

    name = "internal"
    status = 500
    title = "Internal server error"


class Unavailable(Problem):
    """Base of what may succeed when tried again; answered with `Retry-After`, in seconds."""

    status = 503
    retry_after: ClassVar[int] = 1


class Overloaded(Unavailable):
    """The queue is at its bound; refused at once, nothing was tried."""

    name = "overloaded"
    title = "Too many requests are waiting"

    @classmethod
    def of(cls, waiting: int) -> Self:
        """Say how many requests are waiting."""
        return cls(f"{waiting:,} requests are already queued")


class DeadlineExceeded(Unavailable):
    """The request's deadline passed before the database answered; the order may exist."""

    name = "deadline-exceeded"
    title = "The deadline of the request passed"
    usual = "the database did not answer in time"


class DatabaseUnavailable(Unavailable):
    """The database has been away for longer than a request may wait, or refuses all of it."""

    name = "database-unavailable"
    title = "The database is unavailable"

    @classmethod
    def away(cls, seconds: float) -> Self:
        """Say for how long no connection could be had."""
        return cls(f"there has been no connection to the database for {seconds:.0f} s")


class AuthenticationUnavailable(Unavailable):
    """It cannot be told now whether a token is valid: keys are missing, or too many are new."""

    name = "authentication-unavailable"
    title = "The credential cannot be checked now"
