"""The check of licences: what it takes, and what it complains of."""

from importlib.metadata import Distribution
from pathlib import Path

import pytest

from tools import licences


def made(folder: Path, *fields: str) -> Distribution:
    """Return a distribution with these fields in its metadata."""
    text = "\n".join(("Metadata-Version: 2.4", "Name: made", "Version: 1", *fields))
    (folder / "METADATA").write_text(f"{text}\n\n")
    return Distribution.at(folder)


@pytest.mark.parametrize(
    ("fields", "said", "allowed"),
    [
        (["License-Expression: MIT"], "MIT", True),
        (["License-Expression: MIT OR GPL-3.0-only"], "MIT OR GPL-3.0-only", True),
        (["License-Expression: MIT AND GPL-3.0-only"], "MIT AND GPL-3.0-only", False),
        (["Classifier: License :: OSI Approved :: BSD License"], "BSD-3-Clause", True),
        (
            ["Classifier: License :: OSI Approved :: GNU Affero General Public License v3"],
            "GNU Affero General Public License v3",
            False,
        ),
        (["License: MIT License"], "MIT", True),
        (["License: to be discussed"], "to be discussed", False),
    ],
)
def test_terms_are_read_as_metadata_say_them(
    tmp_path: Path, fields: list[str], said: str, *, allowed: bool
) -> None:
    """An expression, a classifier, or words; of a choice one that is allowed is enough."""
    folder = tmp_path / "made-1.dist-info"
    folder.mkdir()
    found = licences.licence(made(folder, *fields))
    assert said == found
    assert allowed == licences.allowed(said)


def test_what_names_no_terms_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the name, and what is allowed."""
    folder = tmp_path / "made-1.dist-info"
    folder.mkdir()
    monkeypatch.setattr(licences, "needed", lambda: [made(folder)])
    [line] = licences.complaints()
    assert line.startswith("made 1 has no licence; allowed: 0BSD, Apache-2.0, ")
    assert 1 == licences.main()


def test_what_images_need_is_looked_at() -> None:
    """What is needed by what is needed, also for an extra that somebody asks for; no tool is."""
    names = {it.name.lower() for it in licences.needed()}
    assert {"pyjwt", "cryptography", "cffi", "litestar", "kopf", "psqlpy"} <= names
    assert not {"pytest", "pglast", "grpcio", "orders"} & names
    assert [] == [*licences.complaints()]
