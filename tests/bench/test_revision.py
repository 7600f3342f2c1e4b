"""Revisions that are measured beside this one."""

from pathlib import Path

import pytest

from bench import paths, revision


def test_a_revision_has_its_commit_and_subject() -> None:
    """Whatever git calls it."""
    found = revision.find("HEAD")

    assert found.name
    assert found.subject
    assert found == revision.find(found.name)
    assert revision.current().startswith(found.name)


@pytest.mark.parametrize("text", ["no-such-revision", "", "--help", "HEAD:README.md"])
def test_what_is_no_revision_is_named(text: str) -> None:
    """Nothing that looks like an option gets to git as one."""
    with pytest.raises(revision.RevisionError, match=f"'{text}' is no revision"):
        revision.find(text)


def test_the_same_migrations_make_the_same_schema(tmp_path: Path) -> None:
    """Any other file, or order of files, is another schema."""
    for file in paths.MIGRATIONS.glob("*.sql"):
        (tmp_path / file.name).write_bytes(file.read_bytes())
    ours = revision.schema(paths.MIGRATIONS)

    assert ours == revision.schema(tmp_path)
    (tmp_path / "9999_more.sql").write_text("SELECT 1;\n")
    assert ours != revision.schema(tmp_path)


def test_each_version_of_python_has_an_environment_of_its_own() -> None:
    """A make that finds the one of an earlier run would leave it, whatever it was made with."""
    found = revision.find("HEAD")

    assert found.place("3.11") != found.place("3.13")
    assert paths.REVISIONS == found.place("3.13").parent
