"""The settings that a statement of this service needs, whatever its role or database sets.

Left as they are: `search_path`, by which a role chooses its schema, and what changes no answer, as
dates and times travel in binary.
"""

from typing import Final

_VALUES: Final = {
    "statement_timeout": "'{0}'",
    "lock_timeout": "'{1}'",
    # A pooler holds a transaction, with its locks, for as long as it takes a lost client for one.
    "idle_in_transaction_session_timeout": "'{0}'",
    # A 201 promises that the order outlives a crash.
    "synchronous_commit": "coalesce(nullif(current_setting('synchronous_commit'), 'off'), 'on')",
    # Plans for arrays of any length: planning anew cost more than the index lookup itself.
    "plan_cache_mode": "'force_generic_plan'",
    # A table that was empty when the plan was made must not be read whole ever after.
    "enable_seqscan": "'off'",
}
_SINCE: Final = {"idle_session_timeout": 140_000, "transaction_timeout": 170_000}


def _set(local: str, values: dict[str, str], since: dict[str, int]) -> str:
    made = [f"set_config('{name}', {value}, {local})" for name, value in values.items()]
    version = "current_setting('server_version_num')::int"
    made += [
        f"CASE WHEN {version} >= {number} THEN set_config('{name}', '0', {local}) END"
        for name, number in since.items()
    ]
    return f"SELECT {', '.join(made)}"


# Under a stricter level, two requests that race on a key would be refused instead of one replayed.
OF_A_SESSION: Final = _set(
    "false", _VALUES | {"default_transaction_isolation": "'read committed'"}, _SINCE
)
"""For a connection of its own; `{0}` and `{1}` are statement_timeout and lock_timeout in ms."""

BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL search_path TO DEFAULT; " + _set(
    "true", _VALUES, {"transaction_timeout": 170_000}
)
"""For one transaction of a connection that others use in between; what they set is set right.

`{0}` and `{1}` are as above."""
