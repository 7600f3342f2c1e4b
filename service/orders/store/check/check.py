"""Checks files in their order: each statement against each rule, then against what is allowed."""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from orders.store.check import (
    changes,
    constraints,
    drops,
    locks,
    overrides,
    rows,
    transaction,
    unknown,
)
from orders.store.check.context import FileContext, Proofs
from orders.store.check.script import Script, parse
from orders.store.migrations import Migration

GROUPS: Final = {
    "What goes": drops.RULES,
    "What becomes something else": changes.RULES,
    "What rows may be": constraints.RULES,
    "What keeps others waiting": (*locks.RULES, *rows.RULES, *transaction.RULES),
    "What cannot be known": unknown.RULES,
}
"""All rules, in the order of the reference, by what they have in common."""
RULES: Final = tuple(rule for group in GROUPS.values() for rule in group)
OVERRIDE: Final = "override"
"""The name under which a wrong override is reported, in place of a rule's."""


class Finding(NamedTuple):
    """A statement that a rule refuses, or a wrong override; `allowed` is the reason given."""

    file: str
    line: int
    rule: str
    start: str
    why: str
    safe: str
    instead: tuple[str, ...] = ()
    allowed: str | None = None


def check(files: Iterable[Migration]) -> list[Finding]:
    """Judge files; those of one folder, in the order of their numbers.

    Returns:
        What was refused, and what would have been but for an override, in the order of the text.

    Raises:
        MigrationError: a file is not SQL that PostgreSQL could read.
    """
    proofs = Proofs()
    return [found for file in files for found in _check(file, proofs)]


def _check(file: Migration, proofs: Proofs) -> Sequence[Finding]:
    script = parse(file)
    allowed, wrong = overrides.read(script.comments, [rule.name for rule in RULES])
    found = []
    for finding in _judge(file, script, proofs):
        override = allowed.get(finding.rule)
        found.append(finding._replace(allowed=override.reason) if override else finding)
    needed = {finding.rule for finding in found}
    wrong += [
        overrides.unused(override) for name, override in allowed.items() if name not in needed
    ]
    found += [
        Finding(file.file, override.line, OVERRIDE, override.text, override.why, override.safe)
        for override in wrong
    ]
    return sorted(found, key=lambda finding: finding.line)


def _judge(file: Migration, script: Script, proofs: Proofs) -> Iterator[Finding]:
    context = FileContext(file.transactional, proofs)
    for statement in script.statements:
        # Before it is judged: ALTER TABLE takes the strongest lock of its subcommands for all.
        context.locked = context.locked or any(map(context.locks, statement.actions))
        for rule in RULES:
            if any(rule.refuses_action(action, context) for action in statement.actions):
                yield Finding(
                    file.file,
                    statement.line,
                    rule.name,
                    statement.start,
                    rule.why,
                    rule.safe,
                    rule.steps,
                )
        context.learn(statement.actions)
