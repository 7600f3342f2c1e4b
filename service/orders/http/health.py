"""Liveness, readiness and start-up, on both ports, as Kubernetes asks for them.

Liveness has no dependency: a database that is away must not restart the pods. Readiness asks the
database on every call, but only one question at a time is in flight. A failure that blocks only
writes is named and fails nothing, because reads go on. GoFr's two addresses are aliases. Bodies
are for people; machines go by the status.
"""

import logging
from collections.abc import Awaitable, Callable
from typing import Final, NamedTuple

from orders.http.asgi import Headers, Scope, correlated
from orders.http.problems import READING, only_reading

READINESS_TIMEOUT: Final = 1.0
"""Seconds that readiness waits for the database, less than a probe's usual timeout."""

_UNREADABLE: Final = "the schema version cannot be read"
_TEXT: Final = (b"content-type", b"text/plain; charset=utf-8")
_NO_STORE: Final = (b"cache-control", b"no-store")

log = logging.getLogger("orders.http")


class Answer(NamedTuple):
    """What to send: status, headers, body."""

    status: int
    headers: Headers
    body: bytes


class Check(NamedTuple):
    """One line of readiness; a `tolerated` failure is shown, and fails nothing."""

    name: str
    failure: str | None
    tolerated: bool = False

    def __str__(self) -> str:
        """Return the line in the form that Kubernetes uses."""
        if self.failure is None:
            return f"[+]{self.name} ok"
        if self.tolerated:
            return f"[!]{self.name} blocked: {self.failure}"
        return f"[-]{self.name} failed: {self.failure}"


_OK: Final = Answer(200, [_TEXT, _NO_STORE], b"ok\n")


class Health:
    """The health of the process."""

    def __init__(  # noqa: PLR0913  one fact each
        self,
        schema_version: Callable[[], Awaitable[int | None]],
        required_version: int,
        on_version: Callable[[int], None] = lambda _: None,
        writes_blocked: Callable[[], str | None] = lambda: None,
        keys_lacking: Callable[[], str | None] | None = None,
        drift: Callable[[], str | None] = lambda: None,
    ) -> None:
        """Start as neither started nor draining.

        Args:
            schema_version: asks the database; None when it does not answer.
            required_version: the schema version below which this code cannot run.
            on_version: called with every version that was read.
            writes_blocked: says what blocks writes while reads go on.
            keys_lacking: says that no bearer token can be checked yet; None if none ever is.
            drift: says how the table did not fit the model when the version was last read.

        """
        self._schema_version = schema_version
        self._required = required_version
        self._on_version = on_version
        self._writes_blocked = writes_blocked
        self._keys_lacking = keys_lacking
        self._drift = drift
        self._refusal = ""
        self.started = False
        self.draining = False

    def answers(self, path: str) -> bool:
        """Whether `path` is one of the health addresses."""
        return path in _PATHS

    async def answer(self, scope: Scope) -> Answer:
        """Return the answer of a health path; `?verbose` lists the checks."""
        if scope["method"] not in READING:
            return Answer(*only_reading(scope))
        status, headers, body = await self._say(_PATHS[scope["path"]], scope["query_string"])
        return Answer(status, correlated(headers, scope), body)

    async def _say(self, kind: str, query: bytes) -> Answer:
        if kind == "livez":
            return _OK
        if kind == "startupz":
            checks = [Check("started", None if self.started else "still starting")]
        else:
            draining = Check("draining", "shutting down" if self.draining else None)
            checks = [*await self.look(), *self._keys(), draining]
        return _report(kind, checks, verbose=b"verbose" in query)

    def _keys(self) -> list[Check]:
        return [] if self._keys_lacking is None else [Check("keys", self._keys_lacking())]

    async def look(self) -> list[Check]:
        """Ask the database for its schema version; return the checks that follow from it.

        The database's own message goes to the log, once; callers of a port are told less.
        """
        try:
            version = await self._schema_version()
        except Exception as error:  # noqa: BLE001  any error makes this pod not ready
            if str(error) != self._refusal:
                self._refusal = str(error)
                log.warning("%s: %s", _UNREADABLE, error)
            return [Check("database", _UNREADABLE)]
        if version is None:
            return [Check("database", "no answer; the log says why")]
        self._refusal = ""
        self._on_version(version)
        missing = f"schema version is {version}, not {self._required}: run `orders migrate`"
        return [
            Check("database", None),
            Check("schema", self._drift() if version >= self._required else missing),
            Check("writes", self._writes_blocked(), tolerated=True),
        ]


_PATHS: Final = {
    "/livez": "livez",
    "/readyz": "readyz",
    "/startupz": "startupz",
    "/.well-known/alive": "livez",
    "/.well-known/health": "readyz",
}


def _report(kind: str, checks: list[Check], *, verbose: bool) -> Answer:
    failed = any(check.failure and not check.tolerated for check in checks)
    if not failed and not verbose:
        return _OK
    lines = [*map(str, checks), f"{kind} check {'failed' if failed else 'passed'}\n"]
    return Answer(503 if failed else 200, [_TEXT, _NO_STORE], "\n".join(lines).encode())
