"""The notes of a release, and what is not let through."""

from pathlib import Path

import pytest

from tools.release.notes import NotReleasable, notes

CHANGELOG = """# Changelog

## 1.1.0 - unreleased

- Coming.

## 1.0.0 - 2026-11-28

### Added

- All of it.

## 0.9.0 - 2026-10-01
"""


@pytest.fixture
def changelog(tmp_path: Path) -> Path:
    """Have a changelog of three versions."""
    file = tmp_path / "CHANGELOG.md"
    file.write_text(CHANGELOG)
    return file


def test_the_notes_are_the_section_of_the_version(changelog: Path) -> None:
    """Neither its heading nor another version's section is in them."""
    assert "### Added\n\n- All of it.\n" == notes("1.0.0", "v1.0.0", changelog)


def test_a_trial_may_have_an_unreleased_section(changelog: Path) -> None:
    """Without a tag nothing has to be dated."""
    assert "- Coming.\n" == notes("1.1.0", None, changelog)


@pytest.mark.parametrize(
    ("version", "tag", "said"),
    [
        ("1.0.0", "v1.0.1", "the tag is v1.0.1, and VERSION is 1.0.0: it must be v1.0.0"),
        ("1.0", "v1.0", "CHANGELOG.md has no section 1.0"),
        ("1.1.0", "v1.1.0", "CHANGELOG.md says 'unreleased' of 1.1.0: it must be a date such as "),
        ("0.9.0", "v0.9.0", "the section 0.9.0 of CHANGELOG.md is empty"),
    ],
)
def test_what_is_no_release_is_refused(changelog: Path, version: str, tag: str, said: str) -> None:
    """The message says what is wrong, and what it must be."""
    with pytest.raises(NotReleasable) as refused:
        notes(version, tag, changelog)
    assert str(refused.value).startswith(said)
