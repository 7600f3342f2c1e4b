"""What the tests of `orders migrate check` share: files that exist only as text."""

from collections.abc import Iterable

from orders.store.check.check import Finding, check
from orders.store.migrations import NO_TRANSACTION, Migration


def files(*texts: str) -> list[Migration]:
    """Make migrations of texts, numbered from 1."""
    return [
        Migration(
            version=number,
            name="x",
            text=text,
            checksum="",
            transactional=not text.startswith(NO_TRANSACTION),
            builds=None,
        )
        for number, text in enumerate(texts, start=1)
    ]


def refused(*texts: str) -> list[Finding]:
    """Return what is refused of files that follow each other."""
    return [it for it in check(files(*texts)) if it.allowed is None]


def names(found: Iterable[Finding]) -> set[str]:
    """Return the rules of findings."""
    return {it.rule for it in found}
