"""`orders migrate new`, and what the check says of a model without its columns."""

from pathlib import Path
from typing import Annotated

import pytest
from msgspec import Meta, Struct, defstruct

from orders import model
from orders.cli import main
from orders.columns import columns_of
from orders.store.check import command, draft
from orders.store.check.check import check
from orders.store.check.table import columns_after
from orders.store.drift import drift
from orders.store.migrations import MigrationError, read_all
from tests.helpers.migration_files import write

Note = Annotated[str, Meta(max_length=500, examples=["gift"])]
Copies = Annotated[int, Meta(ge=1, le=9, examples=[1])]

TABLE = "CREATE TABLE orders (id uuid PRIMARY KEY, created_at timestamptz NOT NULL);\n"


class New(Struct):
    """Fields that the table lacks."""

    note: Note | None = None
    copies: Copies = 1


class Required(Struct):
    """A field that nobody sent before."""

    note: Note


def test_the_next_file_has_the_columns_that_are_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It passes the check as it is, and with it the table fits the model."""
    monkeypatch.setattr(draft, "NewOrder", New)
    write(tmp_path, _0001_orders=TABLE)

    path = draft.draft("gift_note", tmp_path, columns_of(New))

    assert "0002_gift_note.sql" == path.name
    assert [
        "-- Gift note. The release before this one runs on this schema, too: docs/migrations.md.",
        "ALTER TABLE orders ADD COLUMN note text;",
        "ALTER TABLE orders ADD COLUMN copies integer NOT NULL DEFAULT '1';",
    ] == path.read_text(encoding="utf-8").splitlines()
    files = read_all(tmp_path)
    assert [] == check(files)
    assert None is drift(columns_after(files), columns_of(New))


@pytest.mark.parametrize("name", ["user", "left", "full", "time", "giftNote"])
def test_a_column_may_have_any_name(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """PostgreSQL takes its keywords, and capitals, as the names of columns only if quoted."""
    kind = defstruct("New", [(name, Note | None, None)])
    monkeypatch.setattr(draft, "NewOrder", kind)
    write(tmp_path, _0001_orders=TABLE)

    draft.draft("more", tmp_path, columns_of(kind))

    files = read_all(tmp_path)
    assert [] == check(files)
    assert None is drift(columns_after(files), columns_of(kind))


def test_a_required_field_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The orders that are there have none; nothing is written."""
    monkeypatch.setattr(draft, "NewOrder", Required)
    write(tmp_path, _0001_orders=TABLE)

    with pytest.raises(MigrationError, match="the field note is required, and the orders"):
        draft.draft("note", tmp_path, columns_of(Required))

    assert ["0001_orders.sql"] == [path.name for path in tmp_path.iterdir()]


@pytest.mark.parametrize("name", ["", "Note", "a-b", "../a", "a b"])
def test_a_wrong_name_is_refused(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Names are those that files may have."""
    assert 2 == main(["migrate", "new", name], {})
    assert (
        f"orders: {name!r} is not allowed as a name; allowed: a to z, 0 to 9 and _\n"
        == capsys.readouterr().err
    )


def test_a_model_without_its_columns_fails_the_check(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line names the field."""
    unwritten = defstruct("Unwritten", [("wrapping", Note | None, None)])
    columns = (*model.COLUMNS, *columns_of(unwritten))
    monkeypatch.setattr(command, "drift", lambda table: drift(table, columns))

    assert 1 == main(["migrate", "check"], {})
    assert (
        "service/orders/model.py: the field wrapping has no column wrapping;"
        " `orders migrate new NAME` adds it\n"
    ) == capsys.readouterr().err
