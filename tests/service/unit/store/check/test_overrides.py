"""`-- orders: allow RULE because REASON`: what counts, and what is refused itself."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.store.check.check import OVERRIDE, check
from tests.helpers.migration_texts import files, names, refused

ALLOW = "-- orders: allow drop-table because nobody reads it\n"
DROP = "DROP TABLE a;"


def test_an_override_allows_its_rule_in_its_file() -> None:
    """The finding keeps the reason; the next file is judged as ever."""
    found = check(files(ALLOW + DROP, "DROP TABLE b;"))

    assert [("drop-table", "nobody reads it"), ("drop-table", None)] == [
        (it.rule, it.allowed) for it in found
    ]


def test_it_stands_anywhere_in_the_head() -> None:
    """Other comments may stand around it, and the marker before it."""
    head = "-- orders: no-transaction\n-- Why.\n-- orders: allow vacuum-full because of this\n"

    assert [] == refused(f"{head}\n/* more */\nVACUUM FULL a")


def test_it_allows_no_other_rule() -> None:
    """Another rule that the same statement breaks still refuses it."""
    allow = "-- orders: allow drop-index because 1.4 was the last that searched\n"

    assert {"blocking-drop-index"} == names(refused(f"{allow}DROP INDEX a"))


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        (ALLOW, 1, "No statement of this file needs drop-table allowed."),
        (f"{ALLOW}{ALLOW}{DROP}", 2, "drop-table is allowed twice."),
        (f"{DROP}\n{ALLOW}", 2, "It stands behind a statement."),
        (f"-- orders: allow drop-tables because x\n{DROP}", 1, "There is no rule drop-tables."),
        (f"-- orders: allow drop-table because\n{DROP}", 1, "It is neither an override nor"),
        (f"-- orders: allow drop-table because  \n{DROP}", 1, "It is neither an override nor"),
        (f"-- orders: allow drop-table\n{DROP}", 1, "It is neither an override nor"),
        (f"-- Orders: allow drop-table because x\n{DROP}", 1, "It is neither an override nor"),
        (f"--orders: allow drop-table because x\n{DROP}", 1, "It is neither an override nor"),
        (f"-- order: allow drop-table because x\n{DROP}", 1, "It is neither an override nor"),
        ("-- Why.\n-- orders: no-transaction\nSELECT 1", 2, "It is neither an override nor"),
        ("-- orders: no-transactions\nSELECT 1", 1, "It is neither an override nor"),
    ],
)
def test_a_wrong_one_is_refused(text: str, line: int, why: str) -> None:
    """One that is misspelt, idle, doubled or in the wrong place is told with its line."""
    [found] = [it for it in refused(text) if it.rule == OVERRIDE]

    assert line == found.line
    assert found.why.startswith(why)


def test_the_nearest_name_is_told() -> None:
    """A misspelt rule is answered with the one that was meant."""
    [found] = refused("-- orders: allow drop-tabel because x\nSELECT 1")

    assert found.safe.startswith("drop-table is the nearest; ")


@pytest.mark.parametrize("text", ["SELECT '\n-- orders: nonsense'", "-- The orders: all of them"])
def test_other_text_is_left_alone(text: str) -> None:
    """A literal and a comment about orders are no overrides."""
    assert [] == refused(text)


@given(st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1))
def test_any_reason_will_do(reason: str) -> None:
    """A reason is whatever text there is, and is kept as it is."""
    found = check(files(f"-- orders: allow drop-table because {reason}\n{DROP}"))

    assert [reason] == [it.allowed for it in found]
