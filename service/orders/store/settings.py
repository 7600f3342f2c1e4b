"""The settings that a statement of this service needs, whatever its role or database sets.

Other settings are left as they are: `search_path`, with which a role chooses its schema, and those
that change no answer; formats do not, because dates and times travel in binary.
"""

from typing import Final

_VALUES: Final = {
    "statement_timeout": "'{0}'",
    "lock_timeout": "'{1}'",
    # A pooler holds a lost client's transaction, with its locks, until it notices the loss.
    "idle_in_transaction_session_timeout": "'{0}'",
    # A 201 promises that the order outlives a crash.
    "synchronous_commit": "coalesce(nullif(current_setting('synchronous_commit'), 'off'), 'on')",
    # One plan serves arrays of any length: planning anew costs more than the index lookup itself.
    "plan_cache_mode": "'force_generic_plan'",
    # A table that was empty when the plan was made must not be read whole from then on.
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


# At a stricter level, of two requests that race on a key one would be refused, not replayed.
OF_A_SESSION: Final = _set(
    "false", _VALUES | {"default_transaction_isolation": "'read committed'"}, _SINCE
)
"""For a direct connection; `{0}` and `{1}` are statement_timeout and lock_timeout in ms."""

BEGIN: Final = "BEGIN ISOLATION LEVEL READ COMMITTED; SET LOCAL search_path TO DEFAULT; " + _set(
    "true", _VALUES, {"transaction_timeout": 170_000}
)
"""For one transaction on a connection that other clients use too; it overrides their settings.

`{0}` and `{1}` are as above."""
