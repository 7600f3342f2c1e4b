"""Keyset paging over HTTP: the query parameters, and the Link header (RFC 8288).

A page names the order it follows or precedes, never a number of rows to skip, so that its cost
does not grow with its place and orders created meanwhile move nothing.
"""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final
from urllib.parse import parse_qsl, quote, urlencode

from orders.http.validation import invalid
from orders.model import RESOURCE
from orders.uuid7 import FIRST_ID, LAST_ID

if TYPE_CHECKING:
    from orders.service import Page

LIMIT: Final = 20
LIMIT_MAX: Final = 100


def check_query(query: bytes, allowed: frozenset[str]) -> None:
    """Refuse parameters that are unknown or given twice, rather than guess.

    Raises:
        InvalidRequest: it names the first of them.

    """
    seen: set[str] = set()
    for name, _ in parse_qsl(query.decode("latin-1"), keep_blank_values=True):
        pointer = f"#/query/{name[:100]}"
        if name not in allowed:
            known = ", ".join(sorted(allowed)) or "none"
            raise invalid(pointer, f"is not a known parameter; known: {known}")
        if name in seen:
            raise invalid(pointer, "is given more than once")
        seen.add(name)


def links(page: "Page", limit: int, filters: Mapping[str, str | None]) -> str:
    """Return the Link header's value: `prev` if there are newer orders, `next` if older; or "".

    An empty page has no order of its own to continue from. Each has the filters that are not None.
    """
    same = {"limit": str(limit)} | {n: text for n, text in filters.items() if text is not None}
    found = []
    if page.newer:
        newest = page.orders[0].id if page.orders else FIRST_ID
        found.append(f'<{RESOURCE}?{_query(same | {"before": newest})}>; rel="prev"')
    if page.older:
        oldest = page.orders[-1].id if page.orders else LAST_ID
        found.append(f'<{RESOURCE}?{_query(same | {"after": oldest})}>; rel="next"')
    return ", ".join(found)


def _query(parameters: Mapping[str, str]) -> str:
    return urlencode(parameters, quote_via=quote, safe=":")
