"""Signatures of a dry run: by a key that nobody keeps, without Sigstore's servers.

A release is signed by the identity of its workflow, which only GitHub can give; what is signed and
where the signature is kept is the same.
"""

import secrets
from pathlib import Path
from typing import Final

from tools.go_programs import COSIGN

_PASSWORD: Final = "COSIGN_PASSWORD"  # noqa: S105  a variable's name


class Key:
    """A pair of keys in a folder, with a password that only this object has."""

    def __init__(self, folder: Path) -> None:
        """Make both keys."""
        folder.mkdir()
        self._key, self._public = folder / "release.key", folder / "release.pub"
        self._environment = {_PASSWORD: secrets.token_urlsafe()}
        self._no_services, self._no_roots = folder / "services.json", folder / "roots.json"
        prefix = self._key.with_suffix("")
        self._cosign("generate-key-pair", "--output-key-prefix", prefix)
        self._cosign("signing-config", "create", "--out", self._no_services)
        self._cosign("trusted-root", "create", "--out", self._no_roots)

    def sign(self, reference: str) -> None:
        """Sign what is in a registry by its digest, and what it names."""
        services = ("--signing-config", self._no_services, "--trusted-root", self._no_roots)
        self._cosign("sign", "--yes", "--recursive", "--key", self._key, *services, reference)

    def verify(self, reference: str) -> None:
        """Do as users do.

        Raises:
            ToolFailed: there is no signature of it by this key.

        """
        log = ("--insecure-ignore-tlog", "--trusted-root", self._no_roots)
        self._cosign("verify", "--key", self._public, *log, reference)

    def _cosign(self, *arguments: str | Path) -> None:
        COSIGN.run("cosign", *arguments, environment=self._environment)
