"""This service with what costs switched on."""

import shutil

import pytest

from bench.encryption import ENCRYPTED
from bench.guarding import GUARDED, issuing
from bench.servers import BY_NAME
from bench.variants import VARIANTS, variants


@pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is not installed")
def test_each_is_the_same_program_with_more_settings() -> None:
    """Each has a name of its own, over TLS the scheme and guarded the token that go with it."""
    ours = BY_NAME["orders"]
    with issuing() as issued:
        made = variants(ours, "http://127.0.0.1:4318/v1/traces", issued)
        found = {server.name: server for server in made}

    assert VARIANTS == tuple(found)
    assert all(server.command() == ours.command() for server in found.values())
    assert all(server.environment for server in found.values())
    assert "https" == found[ENCRYPTED].scheme
    assert {"http"} == {server.scheme for name, server in found.items() if name != ENCRYPTED}
    assert [GUARDED] == [name for name, server in found.items() if server.token]
