"""What an environment gives: a configuration, or a message."""

import pytest
from hypothesis import strategies as st

from orders.config import Config, ConfigError, Database

PASSWORD = "p%/@:?#[ü€ \\'\""
"""With all that URLs and DSNs quote."""

text = st.text(st.characters(exclude_characters="\0"), max_size=60)
"""What a variable may hold."""


def error(**environ: str) -> str:
    """Return the message that an environment is refused with."""
    with pytest.raises(ConfigError) as caught:
        Config.from_env(environ)
    return str(caught.value)


def database(**environ: str) -> Database:
    """Return the database that an environment names."""
    return Config.from_env(environ).needed_database()


def in_force(config: Config) -> dict[str, tuple[str, str]]:
    """Return value and source by name."""
    return {entry.name: (entry.value, entry.source) for entry in config.in_force}
