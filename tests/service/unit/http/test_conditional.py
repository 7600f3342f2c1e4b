"""Entity tags, If-Match and If-None-Match."""

import pytest

from orders.errors import PreconditionFailed
from orders.http.conditional import (
    REPRESENTATION,
    check_match,
    check_untagged,
    etag,
    matches,
)

ID = "0199d2f6-7c1e-7b52-9d5c-0f6b8a1c2e3d"
TAG = etag(ID)


def test_the_tag_is_strong() -> None:
    """An order's tag is a quoted string that names the order."""
    assert f'"{ID}-{REPRESENTATION}"' == etag(ID)


@pytest.mark.parametrize(
    "header",
    [etag(ID), f"W/{etag(ID)}", "*", " * ", f'"other", {etag(ID)}', f'W/"a,b",W/{etag(ID)}'],
)
def test_a_tag_in_the_list_matches(header: str) -> None:
    """A list that has the tag matches, weak or strong, and so does an asterisk."""
    assert matches(header, etag(ID))


@pytest.mark.parametrize(
    "header", ["", '""', '"other"', etag(ID)[:-1], etag(ID).strip('"'), etag(ID).upper(), '"*"']
)
def test_another_tag_does_not_match(header: str) -> None:
    """A list without the tag does not match, nor does one that is malformed."""
    assert not matches(header, etag(ID))


@pytest.mark.parametrize("header", [TAG, "*", " * ", f'"x", {TAG}', f"W/{TAG},{TAG}"])
def test_what_the_caller_wants_is_there(header: str) -> None:
    """If-Match holds for the tag itself, and for any."""
    check_match(header, TAG)


@pytest.mark.parametrize("header", ['"x"', f"W/{TAG}", "", TAG[1:-1], f'W/"x", W/{TAG}'])
def test_what_the_caller_wants_is_not_there(header: str) -> None:
    """If-Match compares strongly, so a weak tag is no match."""
    with pytest.raises(PreconditionFailed):
        check_match(header, TAG)


@pytest.mark.parametrize(
    ("if_match", "if_none_match", "exists", "has_it"),
    [
        (None, None, True, False),
        ("*", None, True, False),
        (None, '"x"', True, False),
        (None, "*", True, True),
        (None, "*", False, False),
        ("*", "*", True, True),
        ('"x"', None, True, None),
        ("*", None, False, None),
    ],
)
def test_conditions_of_what_has_no_tag(
    if_match: str | None,
    if_none_match: str | None,
    exists: bool,  # noqa: FBT001  a parameter of the test
    has_it: bool | None,  # noqa: FBT001  the same
) -> None:
    """Only `*` can hold: whether there is something at all."""
    if has_it is None:
        with pytest.raises(PreconditionFailed):
            check_untagged(if_match, if_none_match, exists=exists)
    else:
        assert has_it == check_untagged(if_match, if_none_match, exists=exists)
