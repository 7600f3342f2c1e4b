"""Authentication as configured: the gates, the files behind them, and the issuers' keys."""

import asyncio
import logging
from collections.abc import Callable
from typing import TYPE_CHECKING

from orders.auth import api_keys, grants
from orders.auth.gate import Gate, schemes
from orders.auth.issuer import Issuer, Trust, issuers
from orders.auth.metrics_gate import MetricsGate
from orders.auth.watched_file import EVERY, WatchedFile

if TYPE_CHECKING:
    from orders.auth.key_source import KeySource
    from orders.config import AuthConfig


log = logging.getLogger("orders.auth")


class Authentication:
    """Keeps the gates up to date with the files and the issuers' keys."""

    def __init__(self, config: "AuthConfig", count: Callable[[str], None]) -> None:
        """Read every file.

        Args:
            config: what is on.
            count: told the outcome of each credential.

        Raises:
            ConfigError: a file is missing or wrong.

        """
        bearer = config.issuer is not None or config.issuers_file is not None
        self.gate = Gate(schemes(bearer=bearer, keys=config.api_keys_file is not None), count)
        self.gate.on_stale_keys = self._ask
        self.metrics_gate = MetricsGate(self.gate)
        self._own = _own(config)
        self._further: list[Issuer] = []
        self._files: list[WatchedFile] = []
        self._key_files: dict[Trust, WatchedFile] = {}
        self._sources: dict[Trust, KeySource] = {}
        self._tasks: dict[Trust, asyncio.Task[None]] = {}
        self._had_keys = False
        self._starting = True
        if config.api_keys_file is not None:
            self._watch("AUTH_API_KEYS_FILE", config.api_keys_file, self._take_api_keys)
        if config.metrics_keys_file is not None:
            self._watch("METRICS_API_KEYS_FILE", config.metrics_keys_file, self._take_metrics_keys)
        if config.subjects_file is not None:
            self._watch("AUTH_SUBJECTS_FILE", config.subjects_file, self._take_subjects)
        if config.issuers_file is not None:
            self._watch("AUTH_ISSUERS_FILE", config.issuers_file, self._take_issuers)
        else:
            self._settle()
        self._starting = False

    async def follow(self) -> None:
        """Check the files and fetch keys, without end."""
        try:
            self._follow_sources()
            while True:
                await asyncio.sleep(EVERY)
                for file in (*self._files, *self._key_files.values()):
                    self._look(file)
        finally:
            for task in self._tasks.values():
                task.cancel()

    def lacking(self) -> str | None:
        """Say which issuer has had no keys yet; once all have had some, return None for good."""
        if not self._had_keys:
            for issuer in self.gate.issuers.values():
                if issuer.keys is None:
                    return "the keys of an issuer are not known yet; the log says why"
            self._had_keys = True
        return None

    @staticmethod
    def _look(file: WatchedFile) -> None:
        """Check a file; a defect in that must not stop the checks of the others."""
        try:
            file.look()
        except Exception:
            log.exception("%s cannot be checked for changes", file.path)

    def _watch(self, variable: str, path: str, take: Callable[[bytes], None]) -> None:
        file = WatchedFile(variable, path, take)
        file.load()
        self._files.append(file)

    def _take_api_keys(self, content: bytes) -> None:
        self.gate.api_keys = api_keys.read(content.decode())

    def _take_metrics_keys(self, content: bytes) -> None:
        self.metrics_gate.keys = api_keys.read(content.decode())

    def _take_subjects(self, content: bytes) -> None:
        for issuer in self._own:
            issuer.subjects = grants.subjects(content.decode())
        self.gate.review()

    def _take_issuers(self, content: bytes) -> None:
        further = issuers(content)
        if any(own.trust.issuer == issuer.trust.issuer for own in self._own for issuer in further):
            raise ValueError("it repeats the issuer of AUTH_ISSUER")
        before = {issuer.trust: issuer for issuer in self._further}
        for issuer in further:
            if issuer.trust in before:
                issuer.keys = before[issuer.trust].keys
        self._further = further
        self._settle()

    def _settle(self) -> None:
        """Give the gate the current issuers, and follow their keys."""
        every = [*self._own, *self._further]
        self.gate.issuers = {issuer.trust.issuer: issuer for issuer in every}
        trusts = {issuer.trust for issuer in every}
        self._key_files = {t: f for t, f in self._key_files.items() if t in trusts}
        for issuer in every:
            path = issuer.trust.jwks_file
            if path is not None and issuer.trust not in self._key_files:
                file = WatchedFile(_variable(issuer, self._own), path, self._taking(issuer.trust))
                self._key_files[issuer.trust] = file
                if self._starting:
                    file.load()
                else:
                    file.look()
        if not self._starting:
            self._follow_sources()
        self.gate.review()

    def _taking(self, trust: Trust) -> Callable[[bytes], None]:
        def take(content: bytes) -> None:
            from orders.auth import keys  # noqa: PLC0415  only who takes bearer tokens pays for it

            read = keys.read(content, strict=True)
            issuer = self.gate.issuers.get(trust.issuer)
            if issuer is not None and issuer.trust == trust:
                issuer.keys = read
                self.gate.review()

        return take

    def _follow_sources(self) -> None:
        """Run a task for each issuer whose keys are fetched, and for no other."""
        wanted = {i.trust: i for i in self.gate.issuers.values() if i.trust.jwks_file is None}
        for trust in self._tasks.keys() - wanted.keys():
            self._tasks.pop(trust).cancel()
            del self._sources[trust]
        for trust, issuer in wanted.items():
            if trust in self._sources:
                self._sources[trust].issuer = issuer
                continue
            from orders.auth.key_source import KeySource  # noqa: PLC0415  the same

            source = self._sources[trust] = KeySource(issuer, self.gate.review)
            self._tasks[trust] = asyncio.ensure_future(source.follow())

    def _ask(self, issuer: Issuer) -> None:
        source = self._sources.get(issuer.trust)
        if source is not None:
            source.ask()


def _own(config: "AuthConfig") -> list[Issuer]:
    if config.issuer is None or config.audience is None:
        return []
    trust = Trust(
        issuer=config.issuer,
        audience=config.audience,
        jwks_file=config.jwks_file,
        jwks_url=config.jwks_url,
        scopes_claim=config.scopes_claim,
    )
    return [Issuer(trust)]


def _variable(issuer: Issuer, own: list[Issuer]) -> str:
    """Return the name of an issuer's file of keys, for messages."""
    if issuer in own:
        return "AUTH_JWKS_FILE"
    return f"AUTH_ISSUERS_FILE has the jwksFile of {issuer.trust.issuer}, which"
