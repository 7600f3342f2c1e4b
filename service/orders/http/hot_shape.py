"""Which endpoints may be hot: those whose requests a call can take apart without Litestar."""

from typing import TYPE_CHECKING, Any, Final, get_args

from msgspec import Struct

if TYPE_CHECKING:
    from collections.abc import Iterable

    from orders.http.endpoint import Parameter

BODY_LIMIT: Final = 64 * 1024
"""Bytes that the body of a hot endpoint may have."""

ALLOWED: Final = (
    "a path that begins with a literal part, path parameters, headers that are str or str | None,"
    f" and a body that is a msgspec Struct of at most {BODY_LIMIT} bytes"
)


def unfit(path: str, body: Any, parameters: "Iterable[Parameter]", body_limit: int) -> str | None:
    """Return what an endpoint has that a hot one may not have; None without such a thing."""
    if path.split("/")[1].startswith("{"):
        return f"a parameter as the first part of {path}"
    for parameter in parameters:
        if parameter.place == "query":
            return f"the query parameter {parameter.wire}"
        kind = get_args(parameter.type)[0]
        if kind is not str:
            return f"the {parameter.place} {parameter.wire}, which is {_shown(kind)}"
    if body is not None and not (isinstance(body, type) and issubclass(body, Struct)):
        return f"a body that is {_shown(body)}"
    if body is not None and body_limit > BODY_LIMIT:
        return f"a body of up to {body_limit} bytes"
    return None


def _shown(kind: Any) -> str:
    return kind.__name__ if isinstance(kind, type) else str(kind).replace("typing.", "")
