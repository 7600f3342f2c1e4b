"""`orders migrate check`: what it prints, and the status it ends with."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from orders.cli import main
from orders.store.check.reference import page
from tests.helpers.migration_files import write


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Make a folder with one file that is refused, one that is allowed and one that is fine."""
    return write(
        tmp_path,
        _0001_a="CREATE TABLE a (b int);\nALTER TABLE c\n    ADD d int DEFAULT 1 CHECK (d > 0);\n",
        _0002_b="-- orders: allow drop-table because nobody reads it\nDROP TABLE c;\n",
        _0003_c="ALTER TABLE a ADD c int;\n",
    )


def test_the_packaged_files_pass(capsys: pytest.CaptureFixture[str]) -> None:
    """Without a path, the migrations of the package are checked; no configuration is needed."""
    assert 0 == main(["migrate", "check"], {"HTTP_PORT": "bad"})
    assert ("nothing refused, 0 allowed\n", "") == capsys.readouterr()


def test_what_is_refused_is_told(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Place, rule, statement, why and the safe way, step by step; and what was allowed."""
    status = main(["migrate", "check", str(folder)], {})

    assert 1 == status
    assert (
        f"""\
{folder}/0001_a.sql:2: new-check: ALTER TABLE c ADD d int DEFAULT 1 CHECK (d > 0)
  why:  PostgreSQL reads the whole table while nobody can use it, and a row of the release before
        that breaks the constraint is refused.
  safe: Once no running release writes what it forbids: add it `NOT VALID`, and validate it in the
        next file.
        ALTER TABLE customers
            ADD CONSTRAINT customers_visits CHECK (visits >= 0) NOT VALID;
  and in the next file:
        ALTER TABLE customers VALIDATE CONSTRAINT customers_visits;

{folder}/0002_b.sql:2: drop-table is allowed: nobody reads it
1 refused, 1 allowed
""",
        "",
    ) == capsys.readouterr()  # fmt: skip


def test_files_can_be_named(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Only they are told, though what is before them counts."""
    paths = [str(folder / name) for name in ("0002_b.sql", "0003_c.sql")]

    assert 0 == main(["migrate", "check", *paths], {})
    assert "nothing refused, 1 allowed" == capsys.readouterr().out.splitlines()[-1]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["check", "nowhere"], "cannot list the migrations in nowhere: No such file or directory"),
        (["check", "nowhere/0001_a.sql"], "cannot list the migrations in nowhere/0001_a.sql: No"),
        (
            ["--wait", "5", "check"],
            "migrate check takes none of --wait, --status, --to and --report",
        ),
    ],
)
def test_a_wrong_call_is_one_line(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """The exit status is 2."""
    assert 2 == main(["migrate", *arguments], {})
    out, err = capsys.readouterr()
    assert ("", 1) == (out, err.count("\n"))
    assert err.startswith(f"orders: {message}")


def test_a_file_that_is_no_sql_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is not taken for one that is refused: the exit status is 2."""
    write(tmp_path, _0001_a="CREATE TABEL a ();")

    assert 2 == main(["migrate", "check", str(tmp_path)], {})
    expected = 'orders: 0001_a.sql:1: syntax error at or near "TABEL"\n'
    assert ("", expected) == capsys.readouterr()


def test_rules_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """--rules is docs/migration-rules.md."""
    assert 0 == main(["migrate", "check", "--rules"], {})
    assert page() == capsys.readouterr().out


def test_without_the_parser_it_says_what_to_install(tmp_path: Path) -> None:
    """Where orders-service[check] is not installed, as in the image, the rest of migrate works."""
    (tmp_path / "pglast.py").write_text("raise ModuleNotFoundError('pglast', name='pglast')")
    done = subprocess.run(
        [sys.executable, "-m", "orders", "migrate", "check"],
        env={"PYTHONPATH": str(tmp_path), "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )

    assert (2, "") == (done.returncode, done.stdout)
    assert done.stderr == (
        "orders: migrate check needs pglast, which is not installed:"
        " install orders-service[check]\n"
    )
