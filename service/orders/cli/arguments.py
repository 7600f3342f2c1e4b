"""The arguments of commands: their types, each with an error that says what is allowed."""

import argparse
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final

from orders_common.masking import masked
from orders_common.parse import duration, integer

if TYPE_CHECKING:
    Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001  has no other name

USAGE_ERROR: Final = 2
"""Exit status of a wrong call."""
_LONGEST_WAIT: Final = 999_999 * 3600.0
"""What an OrderService may declare."""


def add_wait(parser: argparse.ArgumentParser, meaning: str) -> None:
    """Add `--wait TIME`, in seconds; by default nothing is tried twice."""
    parser.add_argument(
        "--wait", type=wait, default=0.0, metavar="TIME", help=f"{meaning} (default: one try)"
    )


def url(text: str) -> str:
    """Return an http or https URL."""
    if not text.startswith(("http://", "https://")):
        raise argparse.ArgumentTypeError(f"{masked(text)!r} is not an http or https URL")
    return text


def wait(text: str) -> float:
    """Return the seconds of a duration, such as 20s."""
    try:
        seconds: float = duration(0, _LONGEST_WAIT)(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not allowed; allowed: a duration, 0 to 999999h"
        ) from None
    return seconds


def past(text: str) -> datetime:
    """Return a time that is over, with its zone."""
    now = datetime.now(UTC)
    try:
        if days := re.fullmatch("([0-9]{1,6})d", text):
            return now - timedelta(days=int(days[1]))
        at = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        at = None
    if at is not None and re.fullmatch("[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        at = at.replace(tzinfo=UTC)
    if at is None or at.tzinfo is None:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not allowed; allowed: a date (2026-01-31), a time with its zone"
            " (2026-01-31T08:15:30Z), or days ago (90d)"
        )
    if at > now:
        raise argparse.ArgumentTypeError(f"{text!r} is in the future")
    return at


def percent(text: str) -> int:
    """Return a whole number from 1 to 100."""
    try:
        number: int = integer(1, 100)(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not allowed; allowed: 1 to 100") from None
    return number


def key_name(text: str) -> str:
    """Return the name of an API key."""
    from orders.auth.api_keys import NAMES, is_name

    if not is_name(text):
        raise argparse.ArgumentTypeError(f"{masked(text)!r} is not allowed; allowed: {NAMES}")
    return text
