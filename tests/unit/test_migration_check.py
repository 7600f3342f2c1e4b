"""What `orders migrate check` says of statements and files."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from orders.cli import main
from orders.store.parsed import statements
from orders.store.rules import RULES, Rule


def broken(sql: str) -> list[tuple[str, ...]]:
    """Return the rules that each statement breaks."""
    return [it.broken for it in statements(sql)]


@pytest.mark.parametrize("rule", RULES.values(), ids=RULES)
def test_a_rule_refuses_its_example_and_passes_the_safe_way(rule: Rule) -> None:
    """What is advised breaks no rule itself."""
    assert [(rule.name,)] == broken(rule.refused)
    assert [[()] for _ in rule.instead] == [broken(it) for it in rule.instead]


@pytest.mark.parametrize(
    ("sql", "expected"),
    [
        ("DROP TABLE orders", "drop"),
        ("DROP VIEW v", "drop"),
        ("DROP FUNCTION f()", "drop"),
        ("DROP SCHEMA s CASCADE", "drop"),
        ("DROP INDEX i", "index"),
        ("DROP INDEX CONCURRENTLY i", None),
        ("REINDEX TABLE t", "index"),
        ("REINDEX TABLE CONCURRENTLY t", None),
        ("ALTER TABLE t DROP CONSTRAINT c", "drop"),
        ("ALTER TABLE t RENAME TO u", "rename"),
        ("ALTER TABLE t SET SCHEMA s", "rename"),
        ("ALTER TYPE e RENAME VALUE 'a' TO 'b'", "rename"),
        ("ALTER TYPE e ADD VALUE 'c'", None),
        ("ALTER TABLE t ADD COLUMN c timestamptz NOT NULL DEFAULT now()", None),
        ("ALTER TABLE t ADD COLUMN c timestamptz DEFAULT clock_timestamp()", "rewrite"),
        ("ALTER TABLE t ADD COLUMN c int GENERATED ALWAYS AS (a * 2) STORED", "rewrite"),
        ("ALTER TABLE t ADD COLUMN c bigserial", "rewrite"),
        ("ALTER TABLE t ADD COLUMN c int UNIQUE", "unique"),
        ("ALTER TABLE t ADD COLUMN c int REFERENCES u", "validated-constraint"),
        ("ALTER TABLE t SET UNLOGGED", "rewrite"),
        ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u", "validated-constraint"),
        ("ALTER TABLE t ADD FOREIGN KEY (a) REFERENCES u NOT VALID", None),
        ("ALTER TABLE t ADD UNIQUE (a)", "unique"),
        ("ALTER TABLE t ADD UNIQUE USING INDEX i", None),
        ("ALTER TABLE t ENABLE ROW LEVEL SECURITY", "trigger"),
        ("ALTER TABLE t OWNER TO somebody", "cannot-be-checked"),
        ("CREATE POLICY p ON t USING (true)", "trigger"),
        ("CREATE TRIGGER x AFTER INSERT ON t EXECUTE FUNCTION f()", "trigger"),
        ("CREATE OR REPLACE VIEW v AS SELECT 1", "replace"),
        ("CREATE VIEW v AS SELECT 1", None),
        ("CREATE MATERIALIZED VIEW v AS SELECT 1", None),
        ("REFRESH MATERIALIZED VIEW v", "lock"),
        ("VACUUM FULL t", "rewrite"),
        ("VACUUM ANALYZE t", None),
        ("CLUSTER t USING i", "rewrite"),
        ("DELETE FROM t", "whole-table"),
        ("INSERT INTO t VALUES (1)", None),
        ("SELECT set_config('search_path', '', false)", None),
        ("SELECT drop_everything()", "cannot-be-checked"),
        ("CALL drop_everything()", "cannot-be-checked"),
        ("COMMENT ON TABLE t IS 'x'", None),
        ("SET lock_timeout = '1s'", None),
        ("GRANT a TO b", None),
        ("REVOKE a FROM b", "revoke"),
    ],
)
def test_a_statement_breaks_this_rule(sql: str, expected: str | None) -> None:
    """One of each kind."""
    assert [() if expected is None else (expected,)] == broken(sql)


def test_what_a_file_made_is_nobodys_yet() -> None:
    """Every change of it is allowed, and of nothing else."""
    sql = """
        CREATE TABLE fresh (id int);
        CREATE UNIQUE INDEX fresh_id ON fresh (id);
        ALTER TABLE fresh ALTER COLUMN id SET NOT NULL;
        ALTER TABLE fresh RENAME COLUMN id TO number;
        UPDATE fresh SET number = 1;
        TRUNCATE fresh;
        DROP INDEX fresh_id;
        DROP TABLE fresh;
        DROP TABLE other;
    """
    assert [()] * 8 + [("drop",)] == broken(sql)


def test_one_statement_may_break_several_rules() -> None:
    """Each is said once."""
    sql = "ALTER TABLE t DROP COLUMN a, DROP COLUMN b, ALTER COLUMN c TYPE text"
    assert [("drop", "type-change")] == broken(sql)


@given(
    st.sampled_from(list(RULES)), st.integers(0, 5), st.sampled_from(["", "-- é;\n", "/* ; */"])
)
def test_a_line_is_that_of_the_statement(name: str, lines: int, comment: str) -> None:
    """Whatever comes before it."""
    text = "SELECT 1;" + "\n" * lines + comment + RULES[name].refused
    found = statements(text)[-1]
    assert (1 + lines + comment.count("\n"), (name,)) == (found.line, found.broken)


def write(folder: Path, text: str) -> str:
    """Write a migration; its path."""
    file = folder / "0002_next.sql"
    file.write_text(text)
    return str(file)


def test_what_is_refused_is_said_with_the_safe_way(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """File and line, the rule, the statement, why, and what to do."""
    file = write(tmp_path, "-- more\nALTER TABLE orders\n  ADD COLUMN customer text NOT NULL;\n")
    assert 1 == main(["migrate", "check", file])
    assert (
        f"{file}:2: required-column: ALTER TABLE orders ADD COLUMN customer text NOT NULL\n"
        "    the release before inserts without it; instead: give it a constant default, or let it"
        " be null\n"
    ) == capsys.readouterr().out


def test_a_reason_allows_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """One rule, in one file."""
    because = "-- orders: allow drop because 1.4 was the last release that read it\n"
    file = write(tmp_path, f"{because}DROP TABLE a;")
    assert 0 == main(["migrate", "check", str(tmp_path)])
    assert "1 migrations" in capsys.readouterr().out
    Path(file).write_text(f"{because}DROP TABLE a;\nTRUNCATE b;")
    assert 1 == main(["migrate", "check", file])
    assert "truncate" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("-- orders: allow drop because of it\nSELECT 1;", "allows drop, which no statement does"),
        ("-- orders: allow drop\nDROP TABLE a;", "needed: -- orders: allow RULE because REASON"),
        ("-- orders: allow drop because \nDROP TABLE a;", "allow RULE because REASON"),
        (
            "-- orders: allow dorp because x\nDROP TABLE a;",
            "there is no rule dorp; there are drop,",
        ),
        ("SELEC 1;", "syntax error"),
    ],
)
def test_what_makes_no_sense_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    """It is one line with the file, and the exit status of a wrong call."""
    file = write(tmp_path, text)
    assert 2 == main(["migrate", "check", file])
    error = capsys.readouterr().err
    assert said in error
    assert file in error
    assert 1 == error.count("\n")


def test_a_file_or_folder_that_is_not_there_is_an_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """So is a folder without migrations."""
    for path in (tmp_path, tmp_path / "absent.sql"):
        assert 2 == main(["migrate", "check", str(path)])
        assert str(path) in capsys.readouterr().err


def test_the_releases_own_migrations_pass(capsys: pytest.CaptureFixture[str]) -> None:
    """Without arguments these are checked."""
    assert 0 == main(["migrate", "check"])
    assert "the release before can live with all" in capsys.readouterr().out
