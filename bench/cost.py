"""What orders cost per month: the CPU time of a request at the price of a core.

A thousand orders a second, at so many microseconds each, keep a thousandth of as many cores busy.
"""

from collections.abc import Iterator
from typing import Final

from bench.measure import MAIN_CONNECTIONS, MORE_CONNECTIONS
from bench.summary import Figure, Summary
from bench.tables import heading, strong, table

CORE_HOUR: Final = 0.04048
"""US dollars for a core (vCPU) of AWS Fargate, Linux on x86, us-east-1, on demand, in 2026."""
HOURS: Final = 730
SOURCE: Final = "https://aws.amazon.com/fargate/pricing/"


def month(cpu_us: float) -> float:
    """Return US dollars a month for 1,000 requests a second, each of `cpu_us` microseconds."""
    return cores(cpu_us) * CORE_HOUR * HOURS


def cores(cpu_us: float) -> float:
    """Return how many cores 1,000 requests a second keep busy."""
    return cpu_us * 1000.0 / 1e6


def section(summary: Summary) -> Iterator[str]:
    """Return the section on what a thousand orders a second cost with each server."""
    rows = [row for server in summary.compared if (row := _row(summary, server))]
    if not rows:
        return
    yield from heading(
        "Cost",
        "Cores that 1,000 orders a second keep busy, server and PostgreSQL together, and US "
        f"dollars a month, assuming ${CORE_HOUR} for a core an hour and {HOURS} hours: what "
        f"[AWS Fargate]({SOURCE}) asks for a vCPU, Linux on x86, us-east-1, on demand, in 2026. "
        "Memory, disk and what is kept free are not in it.",
    )
    numbers = (MAIN_CONNECTIONS, MORE_CONNECTIONS)
    head = [
        f"{what}, {number} connections" for number in numbers for what in ("cores", "$ a month")
    ]
    yield from table(["1,000 orders/s", *head], rows)


def _row(summary: Summary, server: str) -> list[str] | None:
    found = [
        summary.find(server, "create", number) for number in (MAIN_CONNECTIONS, MORE_CONNECTIONS)
    ]
    if not any(figure and figure.cpu_us for figure in found):
        return None
    return [strong(summary, server), *(cell for figure in found for cell in _cells(figure))]


def _cells(figure: Figure | None) -> list[str]:
    cpu = figure.cpu_us if figure else None
    return ["", ""] if cpu is None else [f"{cores(cpu):.3f}", f"{month(cpu):,.2f}"]
