"""What the head of a file allows, and why: `-- orders: allow RULE because REASON`.

An override is for one rule in one file. One that is misspelt, has no reason, or is not needed is
itself refused, so that none outlives its purpose.
"""

import difflib
import re
from collections.abc import Collection, Sequence
from typing import Final, NamedTuple

from orders.store.check.script import Comment
from orders.store.migrations import NO_TRANSACTION

FORM: Final = "-- orders: allow RULE because REASON"

_OURS: Final = re.compile(r"--\s*orders?\s*:", re.IGNORECASE)
_ALLOW: Final = re.compile(r"-- orders: allow (?P<rule>\S+) because (?P<reason>\S.*)")


class Override(NamedTuple):
    """One line of a head that is as it should be."""

    line: int
    rule: str
    reason: str


class Wrong(NamedTuple):
    """One that is not, and how it should be."""

    line: int
    text: str
    why: str
    safe: str


def read(
    comments: Sequence[Comment], rules: Collection[str]
) -> tuple[dict[str, Override], list[Wrong]]:
    """Return the overrides by rule, and the comments that look like one and are none."""
    found: dict[str, Override] = {}
    wrong: list[Wrong] = []
    for comment in comments:
        if not _OURS.match(comment.text) or (comment.line, comment.text) == (1, NO_TRANSACTION):
            continue
        match = _ALLOW.fullmatch(comment.text)
        if match and match["rule"] in rules and match["rule"] not in found and comment.in_head:
            found[match["rule"]] = Override(comment.line, match["rule"], match["reason"])
            continue
        wrong.append(
            Wrong(comment.line, comment.text, *_verdict(comment, match and match["rule"], rules))
        )
    return found, wrong


def unused(override: Override) -> Wrong:
    """Return what is said of one that no statement of its file needs."""
    return Wrong(
        override.line,
        f"allow {override.rule}",
        f"No statement of this file needs {override.rule} allowed.",
        "Remove the line.",
    )


def _verdict(comment: Comment, rule: str | None, rules: Collection[str]) -> tuple[str, str]:
    if rule is None:
        return (
            "It is neither an override nor the marker of a file without a transaction.",
            f"Write `{FORM}`, or `{NO_TRANSACTION}` as the first line.",
        )
    if rule not in rules:
        close = difflib.get_close_matches(rule, rules, n=1)
        hint = f"{close[0]} is the nearest; " if close else ""
        return f"There is no rule {rule}.", f"{hint}docs/migration-rules.md has all."
    if not comment.in_head:
        return "It stands behind a statement.", "Write it before the first statement of the file."
    return f"{rule} is allowed twice.", "Keep one of the lines, with the whole reason."
