"""Keyset paging over HTTP: the query parameters, and the Link header (RFC 8288).

A page names the order that it follows or precedes, never a number of rows to skip. So its cost
does not grow with its position, and orders created meanwhile shift nothing.
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
        InvalidRequest: there is one; the problem names the first.

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

    An empty page continues from the first or last id there can be. Each link repeats the filters.
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
