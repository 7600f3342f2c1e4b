"""Where statements are, and how they are shown."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.store.check.check import check
from orders.store.check.script import parse
from orders.store.migrations import MigrationError
from tests.helpers.migration_texts import files

FILLERS = st.lists(
    st.sampled_from(
        ["\n", " ", "-- é;\n", "/* ;\n é */", "SELECT 'ü;\n';", ";", "SELECT $a$;$a$;"]
    )
)


@given(st.lists(FILLERS, min_size=1))
def test_the_line_is_that_of_the_statement(fillers: list[list[str]]) -> None:
    """Comments, literals and characters of several bytes before a statement do not shift it."""
    text, lines = "", []
    for filler in fillers:
        text += "".join(filler)
        lines.append(text.count("\n") + 1)
        text += "DROP TABLE a;"

    found = check(files(text))

    assert lines == [it.line for it in found]
    assert {"DROP TABLE a"} == {it.start for it in found}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("DROP\n  TABLE\ta;", "DROP TABLE a"),
        ("DROP TABLE a -- why\n", "DROP TABLE a -- why"),
        (f"DROP TABLE {'a' * 70}", f"DROP TABLE {'a' * 58}..."),
        (f"DROP TABLE {'a' * 61}", f"DROP TABLE {'a' * 61}"),
    ],
)
def test_the_start_is_one_short_line(text: str, expected: str) -> None:
    """White space is one blank, and what is long ends in dots."""
    [file] = files(text)
    [statement] = parse(file).statements

    assert expected == statement.start


def test_what_is_no_sql_is_told_with_its_line() -> None:
    """The words are PostgreSQL's."""
    [file] = files("SELECT 1;\n-- é\nSELEKT 2;")

    with pytest.raises(MigrationError) as caught:
        parse(file)

    assert '0001_x.sql:3: syntax error at or near "SELEKT"' == str(caught.value)
