"""The numbered files: what is read, what is refused, and how they compare with the rows."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from orders.store import ledger, migration_sql
from orders.store.migrations import MigrationError, highest_version, read_all
from orders.store.schema import REQUIRED_VERSION
from tests.helpers.migration_files import write

AT = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)


def row(version: int, text: str, name: str = "x") -> ledger.Applied:
    """Return the row of a file with this text."""
    return ledger.Applied(version, name, hashlib.sha256(text.encode()).hexdigest(), AT, "0.1.0")


def test_packaged_files_are_valid() -> None:
    """The files in the package are read, and the last number is the version the server needs."""
    files = read_all()

    assert [*range(1, len(files) + 1)] == [file.version for file in files]
    assert REQUIRED_VERSION == files[-1].version


def test_reads_in_the_order_of_numbers(tmp_path: Path) -> None:
    """Files come in the order of their numbers, with the SHA-256 of their text."""
    write(tmp_path, _0002_second="SELECT 2;", _0001_first="SELECT 1;")
    (tmp_path / "README.md").write_text("not SQL")

    files = read_all(tmp_path)

    assert ["0001_first.sql", "0002_second.sql"] == [file.file for file in files]
    assert hashlib.sha256(b"SELECT 1;").hexdigest() == files[0].checksum
    assert [True, True] == [file.transactional for file in files]
    assert 2 == highest_version(tmp_path)


def test_line_ends_do_not_count(tmp_path: Path) -> None:
    """A checkout with CRLF has the checksum of one with LF."""
    (tmp_path / "0001_crlf.sql").write_bytes(b"SELECT 1;\r\nSELECT 2;\r\n")

    assert hashlib.sha256(b"SELECT 1;\nSELECT 2;\n").hexdigest() == read_all(tmp_path)[0].checksum


@pytest.mark.parametrize(
    ("names", "message"),
    [
        ([], "there are no migrations in "),
        (["0001_a", "0003_c"], "0003_c.sql: there is no number 0002 before it"),
        (["0002_b"], "0002_b.sql: there is no number 0001 before it"),
        (["0001_a", "0001_b"], "0001_b.sql: its number is taken (0001_a.sql)"),
        (["0000_a"], "0000_a.sql: its number is taken (numbers begin at 0001)"),
        (["1_a"], "1_a.sql: not named NNNN_name.sql"),
        (["0001-a"], "0001-a.sql: not named NNNN_name.sql"),
        (["0001_A"], "0001_A.sql: not named NNNN_name.sql"),
    ],
)
def test_wrong_numbers_are_refused(tmp_path: Path, names: list[str], message: str) -> None:
    """A gap, a duplicate or another form of name is an error that names the file."""
    for name in names:
        (tmp_path / f"{name}.sql").write_text("SELECT 1;")

    with pytest.raises(MigrationError) as caught:
        read_all(tmp_path)

    assert str(caught.value).startswith(message)


def test_missing_directory_is_an_error(tmp_path: Path) -> None:
    """A package without its files does not pass for one that needs no schema."""
    with pytest.raises(MigrationError, match="cannot list the migrations"):
        highest_version(tmp_path / "nowhere")


def test_file_that_is_not_utf8_is_refused(tmp_path: Path) -> None:
    """A file in another encoding is named."""
    (tmp_path / "0001_latin.sql").write_bytes(b"SELECT '\xe9';")

    with pytest.raises(MigrationError, match=r"^0001_latin\.sql: cannot be read"):
        read_all(tmp_path)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("-- only; a comment", []),
        ("SELECT 1; SELECT 2", ["SELECT 1", "SELECT 2"]),
        ("SELECT ';', \";\" ;", ["SELECT ';', \";\""]),
        ("SELECT 'it''s;'; B", ["SELECT 'it''s;'", "B"]),
        (r"SELECT E'\';' ; B", [r"SELECT E'\';'", "B"]),
        (r"SELECT 'a' LIKE'\'; B", [r"SELECT 'a' LIKE'\'", "B"]),
        ("DO $$ BEGIN; END; $$; B", ["DO $$ BEGIN; END; $$", "B"]),
        ("DO $a$ $$;$b$ $a$; B", ["DO $a$ $$;$b$ $a$", "B"]),
        ("A /* ; */ a; -- ;\nB", ["A   a", "B"]),
    ],
)
def test_statements_end_at_semicolons(text: str, expected: list[str]) -> None:
    """Comments, literals and dollar quotes hide their semicolons."""
    assert expected == migration_sql.split(text)


@pytest.mark.parametrize(
    "text",
    ["BEGIN;", "a; COMMIT", "start transaction;", "END;", "ROLLBACK; x", "/* x */ commit work;"],
)
def test_transaction_control_is_refused(tmp_path: Path, text: str) -> None:
    """A file may not end the transaction that it is run in."""
    write(tmp_path, _0001_a=text)

    with pytest.raises(MigrationError, match=r"^0001_a\.sql: .* is not allowed"):
        read_all(tmp_path)


@pytest.mark.parametrize(
    "text",
    [
        "SAVEPOINT a; ROLLBACK TO a; RELEASE a;",
        "CREATE FUNCTION f() RETURNS int BEGIN ATOMIC SELECT 1; END; SELECT 1;",
        "DO $$ BEGIN PERFORM 1; END; $$;",
        "COMMENT ON TABLE a IS 'b'; ENDING",
        "-- COMMIT;\nSELECT 1;",
    ],
)
def test_words_that_end_no_transaction_are_allowed(tmp_path: Path, text: str) -> None:
    """Savepoints, function bodies, comments and longer words are left alone."""
    assert text == read_all(write(tmp_path, _0001_a=text))[0].text


@pytest.mark.parametrize(
    ("statement", "index"),
    [
        ("CREATE INDEX CONCURRENTLY IF NOT EXISTS a_b ON a (b);", "a_b"),
        ('create unique index\nconcurrently if not exists "A b" on a (b)', '"A b"'),
        ("VACUUM orders", None),
    ],
)
def test_marked_file_runs_outside_a_transaction(
    tmp_path: Path, statement: str, index: str | None
) -> None:
    """The marker on the first line takes a file out of the transaction; its index is known."""
    write(tmp_path, _0001_a=f"-- orders: no-transaction\n-- why\n{statement}\n")

    file = read_all(tmp_path)[0]

    assert (False, index) == (file.transactional, file.builds)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("VACUUM a; VACUUM b;", "a file outside a transaction must have one statement, not 2"),
        ("", "a file outside a transaction must have one statement, not 0"),
        ("CREATE INDEX CONCURRENTLY a_b ON a (b)", "CREATE INDEX CONCURRENTLY needs IF NOT"),
        ("CREATE INDEX CONCURRENTLY ON a (b)", "CREATE INDEX CONCURRENTLY needs IF NOT EXISTS"),
    ],
)
def test_marked_file_must_be_repeatable(tmp_path: Path, text: str, message: str) -> None:
    """Outside a transaction a file has one statement, which can be run again."""
    write(tmp_path, _0001_a=f"-- orders: no-transaction\n{text}")

    with pytest.raises(MigrationError) as caught:
        read_all(tmp_path)

    assert str(caught.value).startswith(f"0001_a.sql: {message}")


def test_compare_shows_files_and_rows(tmp_path: Path) -> None:
    """The status has every file and every row, with what became of it."""
    files = read_all(write(tmp_path, _0001_a="A", _0002_b="B", _0003_c="C"))

    def states(*rows: ledger.Applied) -> list[tuple[int, str]]:
        return [(entry.version, entry.state) for entry in ledger.compare(files, rows)]

    assert [(1, "pending"), (2, "pending"), (3, "pending")] == states()
    assert [(1, "applied"), (2, "changed"), (3, "pending")] == states(row(1, "A"), row(2, "?"))
    assert [(1, "applied"), (2, "applied"), (3, "applied"), (4, "unknown")] == states(
        row(1, "A"), row(2, "B"), row(3, "C"), row(4, "D")
    )


def test_pending_is_what_the_rows_lack(tmp_path: Path) -> None:
    """What is pending begins after the last row and ends at `to`; a newer database lacks none."""
    files = read_all(write(tmp_path, _0001_a="A", _0002_b="B", _0003_c="C"))
    rows = [row(1, "A"), row(2, "B"), row(3, "C"), row(4, "D")]

    def versions(count: int, to: int | None = None) -> list[int]:
        return [file.version for file in ledger.pending(files, rows[:count], to)]

    assert [1, 2, 3] == versions(0)
    assert [1, 2] == versions(0, to=2)
    assert [2] == versions(1, to=2)
    assert [] == versions(2, to=2)
    assert [] == versions(4)


@pytest.mark.parametrize(
    ("rows", "to", "message"),
    [
        ([row(1, "?")], None, "0001_a.sql: changed after it was applied"),
        ([row(2, "B")], None, "orders_migrations has 1 rows, but the last is version 2"),
        ([row(1, "A"), row(2, "B")], 1, "the database is at version 2: migrations only expand"),
    ],
)
def test_pending_refuses_what_does_not_fit(
    tmp_path: Path, rows: list[ledger.Applied], to: int | None, message: str
) -> None:
    """A changed file, a gap in the rows and a way down are errors."""
    files = read_all(write(tmp_path, _0001_a="A", _0002_b="B"))

    with pytest.raises(MigrationError) as caught:
        ledger.pending(files, rows, to)

    assert str(caught.value).startswith(message)
