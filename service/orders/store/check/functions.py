"""Functions of PostgreSQL that are known to change no schema and to lock nothing.

Any other function might do anything, and its name does not tell. All of these are in `pg_catalog`,
which is searched before every other schema.
"""

from typing import Any, Final

from pglast import ast

from orders.store.check.script import walk

_PLAIN: Final = """
    abs age array_agg array_append array_length array_position array_remove array_to_string avg
    bool_and bool_or btrim cardinality ceil ceiling char_length character_length concat concat_ws
    convert_from convert_to count current_setting date_bin date_part date_trunc decode dense_rank
    encode exp extract first_value floor format generate_series hashtext initcap json_agg
    json_array_length json_build_array json_build_object json_object_agg jsonb_agg
    jsonb_array_elements jsonb_array_length jsonb_build_array jsonb_build_object jsonb_each
    jsonb_object_agg jsonb_object_keys jsonb_set jsonb_strip_nulls jsonb_typeof lag last_value lead
    left length ln lower lpad ltrim make_date make_interval make_timestamptz max md5 min mod now
    octet_length overlay percentile_cont percentile_disc position power rank regexp_match
    regexp_matches regexp_replace regexp_split_to_array repeat replace reverse right round
    row_number rpad rtrim sha256 sign split_part sqrt starts_with statement_timestamp string_agg
    string_to_array strpos substr substring sum timezone to_char to_date to_json to_jsonb to_number
    to_timestamp to_tsvector transaction_timestamp translate trunc unnest upper
"""
_VOLATILE: Final = """
    clock_timestamp currval gen_random_uuid lastval nextval random timeofday uuidv4 uuidv7
"""

PLAIN: Final = frozenset(_PLAIN.split())
"""Functions that return the same value for every row, given the same arguments."""
VOLATILE: Final = frozenset(_VOLATILE.split())
"""Functions that return a different value for each row."""


def called(node: Any) -> frozenset[str]:
    """Return the functions that are called in a node or below; `schema.name` of another schema."""
    return frozenset(
        ".".join(part.sval for part in it.funcname).removeprefix("pg_catalog.")
        for it in walk(node)
        if isinstance(it, ast.FuncCall)
    )
