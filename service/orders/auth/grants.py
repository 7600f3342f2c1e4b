"""Files whose lines grant scopes to a name: those of API keys, and those of subjects."""

from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from orders.auth.caller import SCOPES


class Line(NamedTuple):
    """The words of a line, and its number, from 1 on."""

    number: int
    words: list[str]


def lines(text: str) -> Iterator[Line]:
    """Return the lines that are neither empty nor comments, which begin with a number sign."""
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if words and not words[0].startswith("#"):
            yield Line(number, words)


def scopes(words: Iterable[str], where: str) -> frozenset[str]:
    """Return the scopes that words name.

    Raises:
        ValueError: there are none, or one is unknown; `where` is named, the words are not, as
            somebody may have put a key in their place.

    """
    named = frozenset(words)
    if not named or not named <= frozenset(SCOPES):
        raise ValueError(f"{where} must end with scopes; allowed: {', '.join(SCOPES)}")
    return named


def subjects(text: str) -> Mapping[str, frozenset[str]]:
    """Return the scopes of each subject.

    Raises:
        ValueError: which line is wrong, and how.

    """
    by_subject: dict[str, frozenset[str]] = {}
    for number, (subject, *words) in lines(text):
        if subject in by_subject:
            raise ValueError(f"line {number} repeats the subject of an earlier line")
        by_subject[subject] = scopes(words, f"line {number}")
    return by_subject
