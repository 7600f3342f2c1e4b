"""The protections that `serve --require` demands, so that a closed service never runs open.

A release that does not know a protection ignores its variables and would serve without it. But it
refuses an argument that it does not know, so with `--require` it does not start.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from orders.config import Config, ConfigError

PROTECTIONS: Final[Mapping[str, tuple[Callable[[Config], bool], str]]] = {
    "auth": (
        lambda config: config.auth.on,
        "AUTH_ISSUER, AUTH_ISSUERS_FILE or AUTH_API_KEYS_FILE",
    ),
    "metrics": (
        lambda config: config.metrics_auth,
        "METRICS_AUTH, with METRICS_API_KEYS_FILE or a way to call",
    ),
    "tls": (lambda config: config.tls is not None, "TLS_CERT_FILE and TLS_KEY_FILE"),
}
"""By name: whether a configuration has it, and what configures it."""


def check(required: Iterable[str], config: Config) -> None:
    """Say that a protection is not configured.

    Raises:
        ConfigError: with the first one, and the variables that would configure it.

    """
    for name in required:
        is_on, variables = PROTECTIONS[name]
        if not is_on(config):
            raise ConfigError(f"--require {name}: it is not configured; set {variables}")
