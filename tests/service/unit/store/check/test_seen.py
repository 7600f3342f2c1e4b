"""What earlier statements change about a later one: what a file made, and what files proved."""

import pytest

from tests.helpers.migration_texts import names, refused

MADE = "CREATE TABLE a (b int); CREATE INDEX c ON a (b); CREATE VIEW d AS SELECT 1; "


@pytest.mark.parametrize(
    "text",
    [
        "ALTER TABLE a ALTER b SET NOT NULL, DROP b, ADD UNIQUE (b), ADD c int NOT NULL",
        "ALTER TABLE a RENAME b TO e; ALTER TABLE a ALTER b TYPE bigint, REPLICA IDENTITY FULL",
        "DROP INDEX c; REINDEX TABLE a; TRUNCATE a; LOCK a; CLUSTER a USING c",
        "CREATE TRIGGER e BEFORE INSERT ON a EXECUTE FUNCTION f(); DROP TRIGGER e ON a",
        "ALTER TABLE a ENABLE ROW LEVEL SECURITY; CREATE POLICY e ON a; REVOKE ALL ON a FROM f",
        "INSERT INTO a SELECT b FROM e; UPDATE a SET b = 1; DELETE FROM a",
        "CREATE OR REPLACE VIEW d AS SELECT 2; DROP VIEW d; DROP TABLE a",
        "CREATE TABLE e () INHERITS (a)",
        "CREATE TYPE e AS ENUM (); ALTER TYPE e RENAME VALUE 'f' TO 'g'; DROP TYPE e",
        "CREATE SCHEMA e; DROP SCHEMA e",
        "CREATE MATERIALIZED VIEW e AS SELECT 1; REFRESH MATERIALIZED VIEW e",
        "CREATE TABLE e (f int REFERENCES a); INSERT INTO e SELECT b FROM a",
    ],
)
def test_a_file_does_with_its_own_what_it_likes(text: str) -> None:
    """What the same file made nobody uses yet."""
    assert [] == refused(MADE + text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("CREATE TABLE IF NOT EXISTS a (); DROP TABLE a", "drop-table"),
        ("CREATE INDEX IF NOT EXISTS a ON b (c); DROP INDEX a", "drop-index"),
        ("CREATE TABLE a (); DROP TABLE a; DROP TABLE a", "drop-table"),
        ("CREATE TABLE a (); DROP TABLE a, b", "drop-table"),
        ("CREATE TABLE a (); DROP TABLE b.a", "drop-table"),
        ("CREATE TABLE b.a (); DROP TABLE a", "drop-table"),
        ("CREATE TYPE a AS (); DROP TABLE a", "drop-table"),
        ("CREATE TABLE a (); ALTER TABLE a ATTACH PARTITION b DEFAULT", "cannot-be-checked"),
        ("CREATE TABLE a (); WITH c AS (DELETE FROM b) DELETE FROM a", "unbatched"),
        ("CREATE TABLE a (b int); INSERT INTO a VALUES (c())", "cannot-be-checked"),
        ("CREATE TABLE a (b int); INSERT INTO a SELECT c FROM d FOR UPDATE", "unbatched"),
    ],
)
def test_what_may_have_been_there_is_not_its_own(text: str, expected: str) -> None:
    """IF NOT EXISTS, another schema or another kind of object does not make a file the owner."""
    assert expected in names(refused(text))


def test_the_next_file_does_not_own_it() -> None:
    """Between two files, a release may have come to use what the first one made."""
    assert {"drop-table"} == names(refused("CREATE TABLE a ()", "DROP TABLE a"))


CHECK = "ALTER TABLE a ADD CONSTRAINT c CHECK (b IS NOT NULL AND d > 0) NOT VALID"
VALIDATE = "ALTER TABLE a VALIDATE CONSTRAINT c"
SET = "ALTER TABLE a ALTER b SET NOT NULL"


def test_a_validated_check_proves_that_nothing_is_null() -> None:
    """SET NOT NULL passes once a file before has validated what implies it."""
    assert [] == refused(CHECK, VALIDATE, SET)
    assert [] == refused("ALTER TABLE a ADD CONSTRAINT c NOT NULL b NOT VALID", VALIDATE, SET)


@pytest.mark.parametrize(
    "before",
    [
        [CHECK],
        [VALIDATE],
        [CHECK.replace("a ADD", "e ADD"), VALIDATE],
        [CHECK.replace("b IS", "e IS"), VALIDATE],
        [CHECK.replace("AND", "OR"), VALIDATE],
        [CHECK.replace("NOT NULL", "NULL"), VALIDATE],
        [CHECK, VALIDATE.replace("CONSTRAINT c", "CONSTRAINT e")],
        [CHECK, VALIDATE, "ALTER TABLE a DROP CONSTRAINT c"],
    ],
)
def test_less_than_that_proves_nothing(before: list[str]) -> None:
    """A check of another table, column or form does not, nor one that is not valid."""
    assert "set-not-null" in names(refused(*before, SET))


def test_a_domain_of_an_earlier_file_is_known() -> None:
    """A column of a domain with constraints makes PostgreSQL write the table anew."""
    domain = "CREATE DOMAIN price AS int CHECK (VALUE > 0)"

    assert {"rewrite"} == names(refused(domain, "ALTER TABLE a ADD b price"))


def test_a_lock_ends_with_its_file() -> None:
    """What is long may follow in the next file."""
    add = "ALTER TABLE a ADD b int; ALTER TABLE a ADD CONSTRAINT c CHECK (b > 0) NOT VALID"

    assert {"lock-kept"} == names(refused(f"{add}; {VALIDATE}"))
    assert [] == refused(add, VALIDATE)
    assert [] == refused(f"{VALIDATE}; {add.replace('CONSTRAINT c', 'CONSTRAINT d')}")
