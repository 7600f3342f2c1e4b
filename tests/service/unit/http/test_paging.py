"""The query of a list, and the Link header of a page."""

import pytest

from orders.errors import InvalidRequest
from orders.http.paging import check_query, links
from orders.model import NewOrder, Order, values
from orders.service import Page
from orders.uuid7 import instant

ALLOWED = frozenset(("limit", "after"))


def page(*ids: str, newer: bool = False, older: bool = False) -> Page:
    """Make a page of orders with these ids."""
    sent = values(NewOrder("tea", 1))
    return Page([Order(i, *sent, instant(0)) for i in ids], newer=newer, older=older)


@pytest.mark.parametrize("query", [b"", b"limit=1", b"limit=1&after=x", b"after=", b"&&"])
def test_known_parameters_are_allowed(query: bytes) -> None:
    """Each known parameter may be given once."""
    check_query(query, ALLOWED)


@pytest.mark.parametrize(
    ("query", "pointer", "detail"),
    [
        (b"offset=1", "#/query/offset", "is not a known parameter; known: after, limit"),
        (b"limit=1&limit=1", "#/query/limit", "is given more than once"),
        (b"limit=1&%6Cimit=2", "#/query/limit", "is given more than once"),
        (b"flag", "#/query/flag", "is not a known parameter; known: after, limit"),
        (b"Limit=1", "#/query/Limit", "is not a known parameter; known: after, limit"),
    ],
)
def test_other_parameters_are_refused(query: bytes, pointer: str, detail: str) -> None:
    """An unknown or repeated parameter is named."""
    with pytest.raises(InvalidRequest) as caught:
        check_query(query, ALLOWED)

    assert ((pointer, detail),) == caught.value.errors


def test_a_page_in_the_middle_has_both_links() -> None:
    """The links continue from the ends of the page, with its limit."""
    expected = '</orders?limit=5&before=b>; rel="prev", </orders?limit=5&after=a>; rel="next"'

    assert expected == links(page("b", "a", newer=True, older=True), 5, {})


def test_a_page_without_neighbours_has_no_links() -> None:
    """Nothing newer and nothing older makes no links."""
    assert "" == links(page("a"), 5, {})


def test_an_empty_page_leads_back() -> None:
    """Beyond the last order the links lead to the last page, beyond the newest to the first."""
    oldest = "00000000-0000-0000-0000-000000000000"
    newest = "ffffffff-ffff-ffff-ffff-ffffffffffff"

    assert f'</orders?limit=5&before={oldest}>; rel="prev"' == links(page(newer=True), 5, {})
    assert f'</orders?limit=5&after={newest}>; rel="next"' == links(page(older=True), 5, {})
