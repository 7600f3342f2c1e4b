"""Entity tags and If-None-Match."""

import pytest

from orders.http.conditional import etag, matches

ID = "0199d2f6-7c1e-7b52-9d5c-0f6b8a1c2e3d"


def test_the_tag_is_strong() -> None:
    """An order's tag is a quoted string that names the order."""
    assert f'"{ID}-1"' == etag(ID)


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
