"""Signatures of a dry run: by a key that nobody keeps, without Sigstore's servers.

A release is signed by the identity of its workflow, which only GitHub can give; what is signed,
where the signature is kept and its format are the same.
"""

import secrets
from pathlib import Path
from typing import Final

from tools.go_programs import COSIGN

FORMAT: Final = ("--new-bundle-format=false", "--use-signing-config=false")
"""Signatures as tags, which cosign 2 and 3, Flux and Kyverno read.

Those of cosign 3 are OCI referrers by default. Cosign 2 and Flux before 2.8 do not look for them,
and Kyverno does not find them at a registry without an API of referrers, as ghcr.io is.
"""
_PASSWORD: Final = "COSIGN_PASSWORD"  # noqa: S105  a variable's name


class Key:
    """A pair of keys in a folder, with a password that only this object has."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir()
        self._key, self._public = folder / "release.key", folder / "release.pub"
        self._environment = {_PASSWORD: secrets.token_urlsafe()}
        self._cosign("generate-key-pair", "--output-key-prefix", self._key.with_suffix(""))

    def sign(self, reference: str) -> None:
        """Sign what is in a registry by its digest, and what it names."""
        options = ("--yes", "--recursive", *FORMAT, "--tlog-upload=false", "--key", self._key)
        self._cosign("sign", *options, reference)

    def verify(self, reference: str) -> None:
        """Do as users do.

        Raises:
            ToolFailed: there is no signature of it by this key.

        """
        self._cosign("verify", "--insecure-ignore-tlog", "--key", self._public, reference)

    def _cosign(self, *arguments: str | Path) -> None:
        COSIGN.run("cosign", *arguments, environment=self._environment)
