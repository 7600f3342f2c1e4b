"""The OpenAPI document against the real server, by schemathesis: open, and asking who calls.

Bounded: EXAMPLES cases for each operation in the fuzzing phase and as many sequences in the
stateful one; examples and coverage are as many as the document has. The cases are the same each
time. Left out or allowed are only the two things in `schemathesis.toml` and its hooks.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Final

import httpx
import pytest

from orders.auth import api_keys
from tests.helpers.contract import failures
from tests.helpers.server import Server
from tests.helpers.tokens import AUDIENCE, ISSUER, jwks, signer

EXAMPLES: Final = 100
GUARDED_EXAMPLES: Final = 10
"""Of a service that asks who calls: what it answers then is what the open one answers."""
SCOPES: Final = ("orders:read", "orders:write")


@pytest.mark.timeout(120)
def test_the_document_is_true(database_url: str, serve: Callable[..., Server]) -> None:
    """All checks in all phases, stateful too, find no failure."""
    server = serve(DATABASE_URL=database_url)

    assert "" == failures(server.url, "docs/openapi.json", EXAMPLES)


@pytest.mark.timeout(120)
@pytest.mark.parametrize("scheme", ["key", "token"])
def test_it_is_true_with_authentication(
    database_url: str, serve: Callable[..., Server], tmp_path: Path, scheme: str
) -> None:
    """The document that is served then holds, and no operation does without the credential."""
    path = tmp_path / "file"
    if scheme == "key":
        key = api_keys.new_key()
        path.write_text(api_keys.line("schemathesis", key, SCOPES))
        header, more = f"X-Api-Key: {key}", {"AUTH_API_KEYS_FILE": str(path)}
    else:
        issuer = signer("ES256", "ec")
        path.write_text(jwks(issuer))
        header = f"Authorization: Bearer {issuer.token(claims={'scope': ' '.join(SCOPES)})}"
        more = {"AUTH_ISSUER": ISSUER, "AUTH_AUDIENCE": AUDIENCE, "AUTH_JWKS_FILE": str(path)}
    server = serve(DATABASE_URL=database_url, **more)
    document = tmp_path / "openapi.json"
    document.write_bytes(httpx.get(f"{server.url}/schema/openapi.json").content)

    assert "" == failures(server.url, str(document), GUARDED_EXAMPLES, "--header", header)
