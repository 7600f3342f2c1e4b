"""How what callers were told is compared with what the database has."""

from hypothesis import given
from hypothesis import strategies as st

from chaos.ledger import Comparison, Row, compare, stored

rows = st.lists(
    st.builds(
        Row,
        st.uuids().map(str),
        st.text("abc, \"'\n", min_size=1),
        st.integers(1, 99),
        st.text("xyz", min_size=1),
    ),
    unique_by=(lambda row: row.id, lambda row: row.key),
)
TEA = Row("1", "tea", 2, "a")


@given(rows)
def test_what_was_told_and_kept_is_right(told: list[Row]) -> None:
    """The same rows in another order: nothing is lost, different or doubled."""
    assert Comparison(len(told), 0, 0, 0, 0, 0) == compare(told, reversed(told))


@given(rows, st.data())
def test_what_is_missing_is_lost(told: list[Row], data: st.DataObject) -> None:
    """Each order that the database has not is one that was lost."""
    kept = data.draw(st.lists(st.sampled_from(told), unique=True)) if told else []

    assert len(told) - len(kept) == compare(told, kept).lost
    assert 0 == compare(told, kept).doubled


def test_what_nobody_was_told_of_is_doubled() -> None:
    """An order with a key that another order has, or none, was not asked for."""
    found = compare([TEA], [TEA, Row("2", "tea", 2, "a"), Row("3", "tea", 2, None)])

    assert (0, 0, 2) == (found.lost, found.different, found.doubled)


def test_one_key_acknowledged_twice_is_doubled() -> None:
    """Two orders for one key: both were told, and both are there."""
    other = Row("2", "tea", 2, "a")

    assert 1 == compare([TEA, other], [TEA, other]).doubled


def test_what_was_changed_is_different() -> None:
    """The order is there, but not as it was acknowledged."""
    found = compare([TEA], [TEA._replace(quantity=3)])

    assert (0, 1, 0) == (found.lost, found.different, found.doubled)


def test_what_nobody_knows_of_may_be_there_or_not() -> None:
    """A create without an answer is counted, and is neither lost nor doubled."""
    unknown = [Row(None, "tea", 2, key) for key in "bc"]

    assert Comparison(1, 0, 0, 0, 2, 1) == compare([TEA, *unknown], [TEA, Row("2", "tea", 2, "b")])


def test_rows_are_read_as_postgresql_writes_them() -> None:
    """Quotes and commas are the item's own; an empty key is none."""
    text = '1,"tea, ""green""",2,a\n2,tea,1,\n'

    assert [Row("1", 'tea, "green"', 2, "a"), Row("2", "tea", 1, None)] == stored(text)
