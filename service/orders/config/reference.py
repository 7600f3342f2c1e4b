"""The reference page and the two forms of `orders config`, made from the declarations."""

import json
from itertools import groupby
from typing import Final

from orders.config import Config
from orders.config.auth_settings import ACCESS, AUTH
from orders.config.cors import CORS
from orders.config.database_settings import DATABASE
from orders.config.server_tls import SERVER_TLS
from orders.config.settings import LOGS, SERVICE, TESTS, TRACING

SETTINGS: Final = (
    *SERVICE, *AUTH, *ACCESS, *SERVER_TLS, *CORS, *DATABASE, *LOGS, *TRACING, *TESTS,
)  # fmt: skip
"""Every setting, in the order of the page."""

_HEAD = """\
# Configuration

<!-- Made by `orders config --reference`; do not edit. -->

Everything is set by environment variables, read once at start. A bad value is one line on stderr
that names the variable, what it was and what is allowed; the exit status is 2. `orders config`
prints what is in force, with secrets masked.

Where a row has several names, the first one that is set counts. An empty variable counts as not
set. A secret can be given as a file instead: the path in the variable with `_FILE` added, one
newline at the end of the file is dropped. Durations take `5`, `5s`, `500ms`, `1.5m`, `1h`, as the
commands' options do; only `OTEL_BSP_SCHEDULE_DELAY` is a number of milliseconds, as OpenTelemetry
defines it.
"""


def page() -> str:
    """Return docs/configuration.md."""
    parts = [_HEAD]
    for group, settings in groupby(SETTINGS, key=lambda setting: setting.group):
        parts.append(f"\n## {group}\n\n| variable | default | allowed | |\n|---|---|---|---|\n")
        parts.extend(setting.row() for setting in settings)
    return "".join(parts)


def listing(config: Config) -> str:
    """Return `NAME = value  (source)`, one a line, aligned."""
    width = max(len(entry.name) for entry in config.in_force)
    return "".join(
        f"{entry.name:{width}} = {entry.value}  ({entry.source})\n" for entry in config.in_force
    )


def as_json(config: Config) -> str:
    """Return the same as a JSON object by name."""
    entries = {e.name: {"value": e.value, "source": e.source} for e in config.in_force}
    return json.dumps(entries, indent=2) + "\n"
