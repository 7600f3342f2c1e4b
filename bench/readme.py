"""Puts the measured table into README.md."""

from collections.abc import Iterator
from typing import Final

from bench import marks, places
from bench.database import SMALL
from bench.measure import MAIN_CONNECTIONS
from bench.summary import Summary
from bench.tables import strong, table

_HEAD: Final = ["", "POST/s", "GET/s", "POST p99 ms", "GET p99 ms", "memory MiB", "first order ms"]


def write(summary: Summary) -> None:
    """Replace the table."""
    marks.fill(places.README, "figures", "make bench", table(_HEAD, _rows(summary)))


def _rows(summary: Summary) -> Iterator[list[str]]:
    for server in summary.titles:
        create = summary.find(server, "create", MAIN_CONNECTIONS, SMALL)
        read = summary.find(server, "read", MAIN_CONNECTIONS, SMALL)
        if create and read:
            yield [
                strong(summary, server),
                f"{create.per_second:,.0f}",
                f"{read.per_second:,.0f}",
                f"{create.p99_ms:,.1f}",
                f"{read.p99_ms:,.1f}",
                f"{max(create.pss_mib, read.pss_mib):.0f}",
                f"{summary.first_order_ms[server]:,.0f}",
            ]
