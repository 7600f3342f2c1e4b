"""`orders smoke URL`: checks that a running service creates an order, stores it, and returns it.

`helm test` runs it, and a deployment pipeline may: it needs nothing but this package. The order is
real; because of its key, sending it twice makes one order.

The credential is read for each try, because a pod's token is replaced from time to time. Redirects
are not followed, because the credential would go along.
"""

import json
import re
import ssl
import sys
import time
import urllib.error
import urllib.request
import uuid
from http import HTTPStatus
from pathlib import Path
from typing import Any, Final, NamedTuple

from orders.config import ConfigError
from orders.model import RESOURCE, example
from orders_common.masking import masked

_TIMEOUT: Final = 10.0
_PAUSE: Final = 0.5
_WORD: Final = re.compile(r"[!-~]{1,16000}").fullmatch
_ORDER: Final = example()


class SmokeError(Exception):
    """The service misbehaved; the message shows the request and the answer."""


class Credential(NamedTuple):
    """Where the API key, or the bearer token, of a caller is; None for none."""

    api_key_file: Path | None = None
    token_file: Path | None = None

    def headers(self) -> dict[str, str]:
        """Return what is sent of it.

        Raises:
            ConfigError: a file cannot be read, or has more or less than one word.

        """
        if self.api_key_file is not None:
            return {"x-api-key": _word("--api-key-file", self.api_key_file)}
        if self.token_file is not None:
            return {"authorization": f"Bearer {_word('--token-file', self.token_file)}"}
        return {}


NOBODY: Final = Credential()


class Answer(NamedTuple):
    """The service's answer; `body` is decoded JSON."""

    status: int
    headers: dict[str, str]
    body: Any


def main(
    url: str, *, wait: float, credential: Credential = NOBODY, ca_file: Path | None = None
) -> int:
    """Place an order at `url`, send it again, read it; return the exit status, 1 if it failed.

    `wait` is for how many seconds a service that does not answer, or not yet, is asked again.
    `ca_file` has the authorities of an https service; the system's if it is None.

    Raises:
        ConfigError: a file is not what it has to be.

    """
    base = url.rstrip("/")
    caller = _Caller(credential, ca_file)
    key = str(uuid.uuid4())
    deadline = time.monotonic() + wait
    while True:
        try:
            order = _try(caller, base, key)
        except SmokeError as error:
            if time.monotonic() >= deadline:
                sys.stderr.write(masked(f"orders: {error}\n"))
                return 1
            time.sleep(_PAUSE)
        else:
            sys.stdout.write(
                f"{masked(base)}{RESOURCE}/{order['id']}: created, replayed and read\n"
            )
            return 0


class _Caller:
    """Sends requests to a service, with the caller's credential."""

    def __init__(self, credential: Credential, ca_file: Path | None) -> None:
        self._credential = credential
        try:
            trusted = ssl.create_default_context(cafile=ca_file)
        except OSError:  # an SSLError is one
            raise ConfigError(
                f"--ca-file is '{ca_file}'; allowed: a file of certificates in PEM"
            ) from None
        handler = urllib.request.HTTPSHandler(context=trusted)
        self._opener = urllib.request.build_opener(_NoRedirect, handler)

    def ask(
        self, method: str, url: str, body: dict[str, Any] | None = None, key: str | None = None
    ) -> Answer:
        headers = self._credential.headers()
        if body:
            headers["content-type"] = "application/json"
        if key:
            headers["idempotency-key"] = f'"{key}"'
        data = json.dumps(body).encode() if body else None
        try:
            request = urllib.request.Request(url, data, headers, method=method)  # noqa: S310  the caller's own URL, http or https
            with self._opener.open(request, timeout=_TIMEOUT) as answer:
                fields = {name.lower(): value for name, value in answer.headers.items()}
                return Answer(answer.status, fields, json.load(answer))
        except urllib.error.HTTPError as error:
            with error:  # it is the answer, too
                raise SmokeError(f"{method} {url}: {error.code} {error.read(1000)!r}") from error
        except (OSError, ValueError) as error:
            raise SmokeError(f"{method} {url}: {error}") from error


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Takes a redirect for the answer."""

    def redirect_request(self, *_: Any, **__: Any) -> None:
        """Follow none."""


def _word(flag: str, path: Path) -> str:
    """Return the only word of a file."""
    try:
        content = path.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        content = ""
    if _WORD(content) is None:
        raise ConfigError(
            f"{flag} is '{path}'; allowed: a file with one word of visible ASCII, up to 16000"
            " characters"
        )
    return content


def _try(caller: _Caller, base: str, key: str) -> dict[str, Any]:
    made = caller.ask("POST", f"{base}{RESOURCE}", _ORDER, key)
    _expect(made, HTTPStatus.CREATED, _ORDER)
    again = caller.ask("POST", f"{base}{RESOURCE}", _ORDER, key)
    _expect(again, HTTPStatus.CREATED, made.body)
    if again.headers.get("idempotency-replayed") != "true":
        raise SmokeError(f"POST {base}{RESOURCE}: the same key created a second order")
    read = caller.ask("GET", f"{base}{made.headers['location']}")
    _expect(read, HTTPStatus.OK, made.body)
    order: dict[str, Any] = read.body
    return order


def _expect(answer: Answer, status: int, fields: dict[str, Any]) -> None:
    sent = {name: answer.body.get(name) for name in fields}
    if (answer.status, sent) != (status, fields):
        raise SmokeError(f"expected {status} and {fields}, got {answer.status} and {answer.body}")
